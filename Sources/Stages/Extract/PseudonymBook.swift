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
    private var identifiers: Set<String> = []
    /// Values of ``apiWords`` that a schema says identify somebody, and so are no words of the API.
    private var declaredWords: Set<String> = []
    /// Members whose numbers identify. Elsewhere the same number may be a count or a time.
    private var numberMembers: Set<String> = []

    /// Members that hold words of the API which the walk goes by; a label may happen to be spelled like one of them.
    private static let apiWords: Set<String> = ["object", "type", "status", "role"]

    var count: Int { standIns.count }

    func original(_ text: String) -> String { originals[text] ?? text }

    /// Every text and number inside of the value, which is that of a member called `name`.
    mutating func noteAll(_ value: JSONValue, of name: String, as kind: Kind) {
        switch value {
        case .string(let text):
            note(text, as: kind)
            if PseudonymBook.apiWords.contains(name) { declaredWords.insert(text) }
        case .number(let text): noteNumber(text, of: name)
        case .array(let elements): for element in elements { noteAll(element, of: name, as: kind) }
        case .object(let members): for member in members { noteAll(member.value, of: member.key, as: kind) }
        case .null, .bool: break
        }
    }

    mutating func noteNumber(_ text: String, of name: String) {
        guard NumberStandIn.isMeant(text) else { return }
        numberMembers.insert(name)
        note(text, as: .identifier)
    }

    mutating func note(_ text: String, as kind: Kind) {
        // Short words are no identifiers. A real value may be spelled like one that was invented before, and gets its own.
        guard !text.isEmpty, standIns[text] == nil else { return }
        let isNumber = NumberStandIn.isMeant(text)
        if !isNumber, text.utf8.count < (kind == .identifier ? 6 : 3) { return }
        var made = text
        var attempt = 0
        while made == text || originals[made] != nil || standIns[made] != nil {
            // An id that is a number here may be a text there: both have one stand-in.
            made = isNumber ? NumberStandIn.invent(text, attempt: attempt) : PseudonymBook.invent(text, kind)
            attempt += 1
        }
        standIns[text] = made
        originals[made] = text
        if kind == .identifier { identifiers.insert(text) }
    }

    /// The value with all that is known replaced, and e-mail addresses in any text.
    mutating func rewritten(_ value: JSONValue) -> JSONValue { rewritten(value, of: "") }

    private mutating func rewritten(_ value: JSONValue, of name: String) -> JSONValue {
        switch value {
        case .string(let text):
            let isWord = PseudonymBook.apiWords.contains(name) && !declaredWords.contains(text)
            return .string(isWord ? withoutIdentifiers(text) : rewritten(text))
        case .number(let text):
            let isID = numberMembers.contains(name) || PseudonymBook.endsWithID(name)
            return isID && NumberStandIn.isMeant(text) ? .number(standIns[text] ?? text) : value
        case .array(let elements): return .array(elements.map { rewritten($0, of: name) })
        case .object(let members):
            return .object(
                members.map { JSONValue.Member(rewrittenKey($0.key), rewritten($0.value, of: $0.key)) }
            )
        case .null, .bool: return value
        }
    }

    /// A map's keys can be identifiers, addresses and names too; all others are the API's words, whatever else is
    /// spelled like them.
    private mutating func rewrittenKey(_ key: String) -> String {
        if let known = standIns[key], key.contains(" ") || NumberStandIn.isMeant(key) { return known }
        return withoutIdentifiers(key)
    }

    private mutating func rewritten(_ text: String) -> String {
        if let known = standIns[text] { return known }
        if originals[text] != nil { return text }
        guard text.utf8.count >= 6 else { return text }
        return wordByWord(text) { book, word in
            if let known = book.standIns[word], word.utf8.count >= 8 { return known }
            return book.replaced(word, isIdentifier: PseudonymBook.looksLikeIdentifier(word))
        }
    }

    /// The text without what can be no word of an API: addresses, and identifiers that a machine made.
    private mutating func withoutIdentifiers(_ text: String) -> String {
        // Nearly every key is a lowercase word: all that is replaced has a digit, a capital or an `@`.
        guard text.utf8.contains(where: { 0x30...0x39 ~= $0 || 0x40...0x5A ~= $0 }) else { return text }
        return wordByWord(text) { book, word in
            let isKnown = book.identifiers.contains(word) && PseudonymBook.isOpaque(word)
            // `user_preferences` looks like an identifier too.
            let looks = PseudonymBook.looksLikeIdentifier(word) && word.contains { $0.isNumber || $0.isUppercase }
            return book.replaced(word, isIdentifier: isKnown || looks)
        }
    }

    private mutating func wordByWord(_ text: String, _ replace: (inout PseudonymBook, String) -> String) -> String {
        var out = ""
        var word = ""
        func finish(_ book: inout PseudonymBook) {
            // The full stop behind an identifier is none of it.
            let end = word.lastIndex { !".-_+".contains($0) }.map { word.index(after: $0) } ?? word.startIndex
            out += replace(&book, String(word[..<end])) + word[end...]
            word = ""
        }
        for character in text {
            if PseudonymBook.joins(character) {
                word.append(character)
            } else {
                finish(&self)
                out.append(character)
            }
        }
        finish(&self)
        return out
    }

    /// A word of a longer text: an identifier, or an address.
    private mutating func replaced(_ word: String, isIdentifier: Bool) -> String {
        if originals[word] != nil, standIns[word] == nil { return word }
        if isIdentifier {
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

    /// `id`, `user_id`, `userIds`, and not `paid`.
    private static func endsWithID(_ name: String) -> Bool {
        ["id", "ids"].contains(name) || ["_id", "_ids", "Id", "Ids", "ID", "IDs"].contains { name.hasSuffix($0) }
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
