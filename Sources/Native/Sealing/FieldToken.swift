/// The text of a sealed field, `ef1.<alg>.<kid>.<payload>`, taken apart.
package struct FieldToken: Sendable, Equatable {
    /// How the value was sealed, which is also the letter in the token.
    package enum Algorithm: UInt8, Sendable, CaseIterable {
        /// AES-256-SIV: equal values give equal tokens.
        case deterministic = 0x73
        /// AES-256-GCM with a random nonce: every token is new.
        case randomized = 0x67
        /// HMAC-SHA-256 cut to 20 bytes: equal values give equal tokens, and there is no way back.
        case pseudonym = 0x68

        package var letter: String { String(decoding: [rawValue], as: UTF8.self) }
    }

    /// What the value was before it was sealed; the first byte of the plaintext.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// UTF-8 text.
        case string = 0x73
        /// A number's literal text.
        case number = 0x69
        /// `true` or `false`.
        case boolean = 0x62
        /// Canonical JSON.
        case json = 0x6A
    }

    package var algorithm: Algorithm
    /// Ten letters that the data key commits to.
    package var keyID: String
    /// The payload's bytes, long enough for the algorithm.
    package var body: [UInt8]

    package static let kidCount = 10
    /// `ef1.s.bjugbow2rs.`
    package static let headCount = 17

    /// Reads exactly one token; text before or after it, or a payload that is not canonical, is refused.
    package init(_ text: Span<UInt8>) throws(SealingError) {
        let head = FieldToken.headCount
        guard text.count > head, text[0] == 0x65, text[1] == 0x66, text[2] == 0x31, text[3] == 0x2E,
            text[5] == 0x2E, text[16] == 0x2E
        else { throw .notAToken }
        guard let algorithm = Algorithm(rawValue: text[4]) else {
            throw text[4] == UInt8(ascii: "G") ? .unsupportedAlgorithm : .notAToken
        }
        var kid: [UInt8] = []
        for index in 6..<16 {
            guard FieldToken.isBase32(text[index]) else { throw .notAToken }
            kid.append(text[index])
        }
        guard let body = Base64.url.decode(text.extracting(head..<text.count)),
            body.count >= FieldToken.leastBody(algorithm),
            algorithm != .pseudonym || body.count == 20
        else { throw .notAToken }
        self.algorithm = algorithm
        self.keyID = String(decoding: kid, as: UTF8.self)
        self.body = body
    }

    package init(_ text: String) throws(SealingError) {
        let bytes = Array(text.utf8)
        try self.init(bytes.span)
    }

    private static func isBase32(_ byte: UInt8) -> Bool {
        byte >= 0x61 && byte <= 0x7A || byte >= 0x32 && byte <= 0x37
    }

    /// The type byte keeps every plaintext at one byte or more.
    private static func leastBody(_ algorithm: Algorithm) -> Int {
        switch algorithm {
        case .deterministic: SyntheticIVCipher.tagCount + 1
        case .randomized: GaloisCipher.nonceCount + GaloisCipher.tagCount + 1
        case .pseudonym: 20
        }
    }
}
