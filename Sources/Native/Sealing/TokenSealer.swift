internal import COpenSSL

/// Makes and opens the tokens of one algorithm, key, tenant and domain.
///
/// The derived key and the keyed contexts are made once, so a value costs its own bytes and little more.
/// Make one for each task that seals: it is not `Sendable`, while ``DataKey`` is.
@safe package final class TokenSealer {
    package let algorithm: FieldToken.Algorithm
    package let key: DataKey
    package let tenant: String
    package let domain: String
    /// How many values this sealer has sealed. A key derived for one tenant and domain should give no more than 2^32
    /// randomized tokens in its life: then no nonce has been used twice but with a chance of 2^-33. Nobody counts over runs
    /// and tasks; one sealer stops there, and rotating the key begins anew.
    package private(set) var sealedCount: UInt64 = 0

    private let subkey: KeyBytes
    private let associated: [UInt8]
    /// `ef1.s.bjugbow2rs.`
    private let head: [UInt8]
    private let engine: Engine
    private let scratch = SealingScratch()

    private enum Engine {
        case synthetic(SyntheticIVCipher)
        case galois(GaloisCipher)
        case code(HMACSHA256)
    }

    package init(
        _ algorithm: FieldToken.Algorithm,
        key: DataKey,
        tenant: String,
        domain: String
    ) throws(SealingError) {
        self.algorithm = algorithm
        self.key = key
        self.tenant = tenant
        self.domain = domain
        subkey = try key.subkey(algorithm, tenant: tenant, domain: domain)
        associated = key.associated(algorithm, tenant: tenant, domain: domain, binding: [])
        head = Array("ef1.\(algorithm.letter).\(key.kid).".utf8)
        engine =
            switch algorithm {
            case .deterministic: .synthetic(try SyntheticIVCipher(key: subkey, associated: associated))
            case .randomized: .galois(try GaloisCipher(key: subkey))
            case .pseudonym: .code(try HMACSHA256(key: subkey))
            }
    }

    /// Appends the token of `value` to `out`.
    ///
    /// - Parameters:
    ///   - value: UTF-8 text, a number's literal text, `true`/`false` or canonical JSON; may be empty.
    ///   - binding: Ties the token to its row; empty for tokens that join. A binding costs a new keyed context.
    package func seal(
        _ kind: FieldToken.Kind,
        _ value: Span<UInt8>,
        binding: [UInt8] = [],
        into out: inout [UInt8]
    ) throws(SealingError) {
        try seal(kind, value, binding: binding, nonce: nil, into: &out)
    }

    package func seal(_ kind: FieldToken.Kind, _ value: [UInt8], binding: [UInt8] = []) throws(SealingError) -> String {
        var out: [UInt8] = []
        try seal(kind, value.span, binding: binding, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// The same with the nonce given, for known answers only: a nonce that serves twice gives the key away.
    func seal(
        _ kind: FieldToken.Kind,
        _ value: Span<UInt8>,
        binding: [UInt8],
        nonce: [UInt8]?,
        into out: inout [UInt8]
    ) throws(SealingError) {
        let associated =
            binding.isEmpty
            ? self.associated
            : key.associated(algorithm, tenant: tenant, domain: domain, binding: binding)
        scratch.setPlain(kind.rawValue, value)
        let bodyCount: Int
        switch engine {
        case .synthetic(let shared):
            let cipher =
                binding.isEmpty ? shared : try SyntheticIVCipher(key: subkey, associated: associated)
            bodyCount = scratch.plainCount + SyntheticIVCipher.tagCount
            guard unsafe cipher.seal(scratch.plain, into: scratch.body) else { throw .of("AES-256-SIV") }
        case .galois(let cipher):
            guard sealedCount < 1 << 32 else { throw .keyIsWornOut }
            bodyCount = scratch.plainCount + GaloisCipher.nonceCount + GaloisCipher.tagCount
            guard scratch.setNonce(nonce) else { throw .of("RAND_bytes") }
            let done = unsafe associated.withUnsafeBytes { associated in
                unsafe cipher.seal(scratch.plain, associated: associated, into: scratch.body)
            }
            guard done else { throw .of("AES-256-GCM") }
        case .code(let code):
            bodyCount = 20
            guard scratch.setCode(code, associated: associated) else { throw .of("HMAC") }
        }
        sealedCount += 1
        out.append(contentsOf: head)
        scratch.appendBody(bodyCount, to: &out)
    }

    /// The value and what it was. The token's algorithm, key, tenant, domain and binding must all be ours;
    /// otherwise `.cannotOpen`, whatever the reason.
    package func open(
        _ token: FieldToken,
        binding: [UInt8] = []
    ) throws(SealingError) -> (kind: FieldToken.Kind, value: [UInt8]) {
        guard token.algorithm == algorithm, token.keyID == key.kid else { throw .cannotOpen }
        let associated =
            binding.isEmpty
            ? self.associated
            : key.associated(algorithm, tenant: tenant, domain: domain, binding: binding)
        let plain: [UInt8]
        switch engine {
        case .code: throw .oneWay
        case .synthetic(let shared):
            let cipher =
                binding.isEmpty ? shared : try SyntheticIVCipher(key: subkey, associated: associated)
            plain = try cipher.open(token.body)
        case .galois(let cipher):
            plain = try cipher.open(token.body, associated: associated).withSpan { span in span.indices.map { span[$0] }
            }
        }
        guard let first = plain.first, let kind = FieldToken.Kind(rawValue: first) else { throw .cannotOpen }
        return (kind, Array(plain.dropFirst()))
    }

    /// Whether the token is that of this value: the only question that a pseudonym answers.
    package func matches(
        _ token: FieldToken,
        _ kind: FieldToken.Kind,
        _ value: [UInt8],
        binding: [UInt8] = []
    ) throws(SealingError) -> Bool {
        guard token.algorithm == algorithm, token.keyID == key.kid else { return false }
        guard algorithm == .pseudonym else {
            let opened = try? open(token, binding: binding)
            return opened?.kind == kind && opened?.value == value
        }
        let ours = try FieldToken(try seal(kind, value, binding: binding))
        return KeyBytes.matches(ours.body, token.body)
    }
}
