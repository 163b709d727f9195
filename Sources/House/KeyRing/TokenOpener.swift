package import Model
package import Sealing

/// Opens tokens for one tenant. Keyed contexts are kept, so make one for each task and feed it many tokens.
package struct TokenOpener {
    private static let oneWay = "a pseudonym can't be opened"
    private let ring: KeyRing
    private let tenant: String
    private var sealers: [Name: TokenSealer] = [:]

    private struct Name: Hashable {
        var algorithm: FieldToken.Algorithm
        var kid: String
        var domain: String
    }

    package init(_ ring: KeyRing, tenant: String) {
        self.ring = ring
        self.tenant = tenant
    }

    /// What a token hides, and what kind of value that was.
    ///
    /// Throws `.cannotSeal`: one text for everything that can be wrong, a key that the ring has not or has no more included, so
    /// that it tells an attacker nothing. Another one only for pseudonyms, which have no way back.
    package mutating func open(
        _ token: [UInt8],
        domain: String,
        binding: [UInt8] = []
    ) throws(Fault) -> (kind: FieldToken.Kind, value: [UInt8]) {
        do {
            let parsed = try FieldToken(token.span)
            if parsed.algorithm == .pseudonym {
                throw Fault(
                    .cannotSeal,
                    TokenOpener.oneWay,
                    at: ["key \(parsed.keyID)"],
                    mend: "leave this column out, or seal it with `mode: deterministic`"
                )
            }
            return try sealer(for: parsed, domain: domain).open(parsed, binding: binding)
        } catch let fault as Fault where fault.what == TokenOpener.oneWay {
            throw fault
        } catch {
            throw Fault(
                .cannotSeal,
                "a token can't be opened",
                mend:
                    "check with `cogni keys list` that the ring has its key, and that tenant and domain are those that sealed it"
            )
        }
    }

    private mutating func sealer(for token: FieldToken, domain: String) throws -> TokenSealer {
        let name = Name(algorithm: token.algorithm, kid: token.keyID, domain: domain)
        if let sealer = sealers[name] { return sealer }
        let sealer = try TokenSealer(
            token.algorithm,
            key: try ring.key(token.keyID),
            tenant: tenant,
            domain: domain
        )
        sealers[name] = sealer
        return sealer
    }
}
