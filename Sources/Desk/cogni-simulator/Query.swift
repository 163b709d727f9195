/// A request's query, decoded. Arrays may be written `k[]=a&k[]=b` or `k=a&k=b`; the brackets are not part of the name.
struct Query: Sendable, Equatable {
    struct Field: Sendable, Equatable {
        var name: String
        var value: String
    }

    let fields: [Field]

    init(fields: [Field]) {
        self.fields = fields
    }

    /// `nil` when a percent escape is broken or what it spells is no UTF-8.
    init?(_ text: some StringProtocol) {
        var fields: [Field] = []
        for pair in text.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(halves[0]), let value = Self.decode(halves.count == 2 ? halves[1] : "") else {
                return nil
            }
            fields.append(Field(name: name.hasSuffix("[]") ? String(name.dropLast(2)) : name, value: value))
        }
        self.fields = fields
    }

    /// The last value given, as most servers take it.
    subscript(name: String) -> String? {
        fields.last { $0.name == name }?.value
    }

    /// Every value given, in order.
    func all(_ name: String) -> [String] {
        fields.filter { $0.name == name }.map(\.value)
    }

    func has(_ name: String) -> Bool {
        fields.contains { $0.name == name }
    }

    /// What a page token is bound to: every field but the cursors, whatever their order.
    var identity: UInt64 {
        let bound = fields.filter { !["page", "after", "before"].contains($0.name) }
        let lines = bound.map { "\($0.name)\u{0}\($0.value)\u{1}" }.sorted()
        return fingerprint(lines.joined().utf8)
    }

    /// Percent escapes and `+` for a space, as HTML forms have it: a client that leaves `+` bare in a token loses it here.
    static func decode(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(hexadecimal), let low = rest.next().flatMap(hexadecimal) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
