package import Model

/// Keeps secrets out of what leaves the process: logs, errors, webhooks, recordings, and data.
///
/// Two doors. ``clean(_:keepsLines:)`` is for text that people read: it knows this process's own secrets in
/// every encoding, the shapes of other people's, and what headers and assignments give away. ``maskField(_:)``
/// is for one value of a row, and hides only what is a secret by its own shape.
package struct Sanitizer: Sendable {
    let known: KnownValues
    private let logRules: UInt64
    let triggers = TriggerTables.shared
    private let shapes = KeyShape.all

    /// - Parameters:
    ///   - knownValues: Every secret that the process holds.
    ///   - hidesPeople: Whether e-mail addresses in logs are hidden too.
    package init(knownValues: [Secret] = [], hidesPeople: Bool = true) {
        known = KnownValues(knownValues)
        logRules = Rule.forLogs | (hidesPeople ? Rule.email.bit : 0)
    }

    /// Names of secrets that are too short to be looked for; worth a warning.
    package var tooShort: [String] { known.tooShort }

    /// A row's value with its secrets masked, or `nil` when there are none: the usual case, and a quick one.
    ///
    /// Takes a value raw or as the inside of a JSON string or CSV cell, and gives the same back: a mask has
    /// no quote, comma, backslash or line end.
    package func maskField(_ value: Span<UInt8>) -> [UInt8]? {
        var memory = ScanMemory()
        guard var masked = scan(value, rules: Rule.forData, known: nil, &memory) else { return nil }
        // A secret that began inside of another one stands free now.
        for _ in 0..<16 {
            guard let again = scan(masked.span, rules: Rule.forData, known: nil, &memory) else { break }
            masked = again
        }
        return masked
    }

    package func maskField(_ value: [UInt8]) -> [UInt8]? { maskField(value.span) }

    /// Bytes that are kept, such as recorded replies: like data, but without our own secrets as well.
    /// What is not masked stays byte for byte.
    package func mask(_ bytes: [UInt8]) -> [UInt8] {
        let others = withoutOwn(bytes)
        return maskField(others.span) ?? others
    }

    /// Rows that a person asked to see: without our own secrets, which no archive would hold either. Other people's are the pipeline's to mask.
    package func withoutOwn(_ bytes: [UInt8]) -> [UInt8] {
        var memory = ScanMemory()
        let whole = withoutEscapedKnown(bytes, &memory) ?? bytes
        return scan(whole.span, rules: 0, known: known, &memory) ?? whole
    }

    /// Text for logs, errors and events: one whole event at a time, before it is cut, wrapped or coloured.
    ///
    /// - Parameter keepsLines: Leaves line feeds and tabs, for messages of several lines on a terminal.
    package func clean(_ text: String, keepsLines: Bool = false) -> String {
        clean(Array(text.utf8), keepsLines: keepsLines)
    }

    package func clean(_ bytes: [UInt8], keepsLines: Bool = false) -> String {
        var memory = ScanMemory()
        return clean(bytes, keepsLines: keepsLines, &memory)
    }

    func clean(_ bytes: [UInt8], keepsLines: Bool, _ memory: inout ScanMemory) -> String {
        // Escapes come first: what ends a value for the matchers must still end it when the result is cleaned again.
        var text = ControlText.escaped(bytes, keepsLines: keepsLines)
        // Whole before its runs, which are all that is known of a secret whose escapes are not.
        text = withoutEscapedKnown(text, &memory) ?? text
        text = scan(text.span, rules: 0, known: known, &memory) ?? text
        text = scan(text.span, rules: logRules, known: nil, &memory) ?? text
        return String(decoding: withoutEncodedSecrets(text, &memory), as: UTF8.self)
    }

    /// For text that was encoded and has been decoded to look at.
    func holdsSecret(decoded: [UInt8], _ memory: inout ScanMemory) -> Bool {
        scan(decoded.span, rules: 0, known: known, &memory) != nil
            || scan(decoded.span, rules: logRules & ~Rule.email.bit, known: nil, &memory) != nil
    }

    /// One pass over the bytes. `nil` when nothing was found.
    func scan(_ text: Span<UInt8>, rules: UInt64, known: KnownValues?, _ memory: inout ScanMemory) -> [UInt8]? {
        guard text.count >= 3 else { return nil }
        let known = known.flatMap { $0.isEmpty ? nil : $0 }
        if rules == 0, known == nil { return nil }
        let first = triggers.first.span
        let second = triggers.second.span
        let third = triggers.third.span
        let last = text.count - 2
        memory.begin()
        var masked: [UInt8] = []
        var isFound = false
        var copied = 0
        var at = 0
        while at < last {
            var hits = first[Int(text[at])] & second[Int(text[at + 1])] & rules
            if hits != 0 { hits &= third[Int(text[at + 2])] }
            if hits == 0, known == nil {
                at += 1
                continue
            }
            guard let finding = known?.find(text, at: at) ?? find(hits, text, at, &memory), finding.to > finding.from
            else {
                at += 1
                continue
            }
            isFound = true
            for index in copied..<max(finding.from, copied) { masked.append(text[index]) }
            finding.write(text, into: &masked)
            copied = finding.to
            at = finding.to
        }
        guard isFound else { return nil }
        for index in copied..<text.count { masked.append(text[index]) }
        return masked
    }

    /// What the rules whose triggers stand at `at` find there; the first of them to find anything.
    func find(_ hits: UInt64, _ text: Span<UInt8>, _ at: Int, _ memory: inout ScanMemory) -> Finding? {
        var hits = hits
        while hits != 0 {
            let bit = hits.trailingZeroBitCount
            hits &= hits - 1
            guard let rule = Rule(rawValue: bit) else { continue }
            if let finding = find(rule, text, at, &memory) { return finding }
        }
        return nil
    }

    private func find(_ rule: Rule, _ text: Span<UInt8>, _ at: Int, _ memory: inout ScanMemory) -> Finding? {
        switch rule {
        case .skKey: KeyShape.findSK(text, at: at, &memory)
        case .jwt, .jwtSpaced: TextSecrets.findJWT(text, at: at, &memory)
        case .pem: TextSecrets.findPEM(text, at: at, &memory)
        case .bearer: TextSecrets.findBearer(text, at: at, &memory)
        case .userinfo: TextSecrets.findUserinfo(text, from: at + 3, &memory)
        case .userinfoEscaped:
            stands([0x5C, 0x2F], in: text, at: at + 3)
                ? TextSecrets.findUserinfo(text, from: at + 5, &memory) : nil
        case .authorization: LogSecrets.findAuthorization(text, at: at, &memory)
        case .cookie: LogSecrets.findCookie(text, at: at, &memory)
        case .query: LogSecrets.findParameter(text, at: at, &memory)
        case .email: LogSecrets.findEmail(text, at: at, &memory)
        default:
            if let shape = shapes[rule] {
                shape.find(text, at: at, &memory)
            } else if let keyword = LogSecrets.Keyword.all[rule] {
                LogSecrets.findAssignment(keyword, text, at: at, &memory)
            } else {
                nil
            }
        }
    }
}
