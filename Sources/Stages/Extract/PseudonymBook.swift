import Model

/// Which invented value stands for which real one, in both directions.
struct PseudonymBook: Sendable {
    enum Kind: Sendable {
        case identifier, email, person, label, address, text

        /// `nil`: nothing that identifies.
        init?(_ sensitivity: Column.Sensitivity, _ domain: String?) {
            switch sensitivity {
            case .email: self = .email
            case .personName: self = .person
            case .label: self = .label
            case .ip: self = .address
            case .pseudonymousID, .cloudIdentifier: self = .identifier
            case .deviceFingerprint, .geolocation, .keyFragment, .pem, .opaque, .url: self = .text
            case .none:
                guard domain != nil else { return nil }
                self = .identifier
            }
        }
    }

    private var standIns: [String: String] = [:]
    private var originals: [String: String] = [:]

    var count: Int { standIns.count }

    func original(_ text: String) -> String { originals[text] ?? text }

    /// Every text inside of the value.
    mutating func noteAll(_ value: JSONValue, as kind: Kind) {
        switch value {
        case .string(let text): note(text, as: kind)
        case .array(let elements): for element in elements { noteAll(element, as: kind) }
        case .object(let members): for member in members { noteAll(member.value, as: kind) }
        case .null, .bool, .number: break
        }
    }

    mutating func note(_ text: String, as kind: Kind) {
        // Invented values come back in later pages only by accident, and short words are no identifiers.
        guard !text.isEmpty, standIns[text] == nil, originals[text] == nil else { return }
        if text.utf8.count < (kind == .identifier ? 6 : 3) { return }
        var made = PseudonymBook.invent(text, kind)
        while originals[made] != nil || standIns[made] != nil { made = PseudonymBook.invent(text, kind) }
        standIns[text] = made
        originals[made] = text
    }

    /// The value with all that is known replaced, and e-mail addresses in any text.
    mutating func rewritten(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): return .string(rewritten(text))
        case .array(let elements): return .array(elements.map { rewritten($0) })
        case .object(let members):
            return .object(
                members.map { member in
                    // Words of the API that the walk goes by; a label may happen to be spelled like one of them.
                    if ["object", "type", "status", "role"].contains(member.key), member.value.text != nil {
                        return member
                    }
                    return JSONValue.Member(rewrittenKey(member.key), rewritten(member.value))
                }
            )
        case .null, .bool, .number: return value
        }
    }

    /// A map's keys can be identifiers too; all others are the API's words, whatever else is spelled like them.
    private func rewrittenKey(_ key: String) -> String {
        PseudonymBook.looksLikeIdentifier(key) || key.contains("@") ? standIns[key] ?? key : key
    }

    private mutating func rewritten(_ text: String) -> String {
        if let known = standIns[text] { return known }
        if originals[text] != nil { return text }
        guard text.utf8.count >= 6 else { return text }
        var out = ""
        var word = ""
        for character in text {
            if PseudonymBook.joins(character) {
                word.append(character)
            } else {
                out += replaced(word)
                out.append(character)
                word = ""
            }
        }
        return out + replaced(word)
    }

    /// A word of a longer text: an address, or an identifier that is known.
    private mutating func replaced(_ word: String) -> String {
        if let known = standIns[word], word.utf8.count >= 8 { return known }
        if originals[word] != nil { return word }
        if PseudonymBook.looksLikeIdentifier(word) {
            note(word, as: .identifier)
            return standIns[word] ?? word
        }
        guard let at = word.firstIndex(of: "@"), at != word.startIndex, word[at...].dropFirst().contains(".") else {
            return word
        }
        note(word, as: .email)
        return standIns[word] ?? word
    }

    /// Characters of identifiers and addresses.
    private static func joins(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || "._-+@".contains(character)
    }

    /// Made by a machine: long and with a digit. `role-api-organization-owner` is everybody's.
    static func isOpaque(_ id: String) -> Bool { id.utf8.count >= 12 && id.contains { $0.isNumber } }

    /// `user-Ab12Cd34…`: also where no schema knows the place.
    private static func looksLikeIdentifier(_ word: String) -> Bool {
        guard let mark = word.firstIndex(where: { $0 == "-" || $0 == "_" }) else { return false }
        let tail = word[mark...].dropFirst()
        return ["user", "proj", "key", "org"].contains(String(word[..<mark])) && tail.count >= 8
            && tail.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
    }

    // MARK: Invention

    private static let letters = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
    private static let given = [
        "Alma", "Bruno", "Carla", "Dario", "Edda", "Fabio", "Greta", "Hugo", "Ines", "Jonas", "Katja", "Lukas",
    ]
    private static let families = [
        "Ahorn", "Birke", "Distel", "Erle", "Farn", "Ginster", "Hasel", "Iris", "Kiefer", "Linde", "Mohn", "Nelke",
    ]
    private static let things = [
        "Amber", "Basalt", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper",
    ]

    private static func random(_ count: Int) -> String {
        String((0..<count).map { _ in letters[Int.random(in: 0..<letters.count)] })
    }

    private static func invent(_ text: String, _ kind: Kind) -> String {
        switch kind {
        case .email: return "person-\(random(8).lowercased())@example.com"
        case .person:
            return
                "\(given.randomElement() ?? "Alma") \(families.randomElement() ?? "Erle") \(Int.random(in: 100...99_999))"
        case .label: return "\(things.randomElement() ?? "Cedar") \(Int.random(in: 100...99_999))"
        case .address:
            return
                "2001:db8::\(String(Int.random(in: 1...0xFFFF), radix: 16)):\(String(Int.random(in: 1...0xFFFF), radix: 16))"
        case .text: return "replaced-\(random(12))"
        case .identifier:
            // `user-abc` stays a `user-`: the kind says nothing about whose it is.
            let prefix = text.prefix { $0.isASCII && $0.isLetter }
            let rest = text.dropFirst(prefix.count)
            guard prefix.count <= 12, let mark = rest.first, mark == "-" || mark == "_" else {
                return random(max(12, min(40, text.count)))
            }
            return prefix + String(mark) + random(max(12, min(48, rest.count - 1)))
        }
    }
}
