internal import Model

/// The secrets that this process holds, in every form in which they could turn up, found by exact
/// comparison. Knows no vendor and misses no whole value.
struct KnownValues: Sendable {
    private var forms: [(bytes: [UInt8], name: Int)] = []
    private var names: [String] = []
    /// Forms by their first four bytes, the longest first.
    private var byStart: [UInt32: [Int]] = [:]
    /// Names of secrets too short to look for: eight characters turn up by chance.
    private(set) var tooShort: [String] = []
    /// Every byte that stands in one of the secrets.
    private(set) var letters: Set<UInt8> = []
    /// Bytes of the longest of them.
    private(set) var longest = 0

    static let leastCount = 8

    init(_ secrets: [Secret]) {
        for secret in secrets where !secret.isEmpty {
            let value = Array(secret.reveal().utf8)
            guard value.count >= KnownValues.leastCount else {
                tooShort.append(secret.name)
                continue
            }
            names.append(secret.name)
            letters.formUnion(value)
            longest = max(longest, value.count)
            for form in Encodings.all(of: value).union(Encodings.runs(of: value))
            where form.count >= KnownValues.leastCount {
                forms.append((form, names.count - 1))
            }
        }
        forms.sort { $0.bytes.count > $1.bytes.count }
        for (index, form) in forms.enumerated() {
            byStart[KnownValues.start(form.bytes.span, 0), default: []].append(index)
        }
    }

    var isEmpty: Bool { forms.isEmpty }

    /// The first three bytes of every form.
    var beginnings: Set<[UInt8]> { Set(forms.map { Array($0.bytes.prefix(3)) }) }

    private static func start(_ text: Span<UInt8>, _ at: Int) -> UInt32 {
        UInt32(text[at]) << 24 | UInt32(text[at + 1]) << 16 | UInt32(text[at + 2]) << 8 | UInt32(text[at + 3])
    }

    /// The longest form that begins at `at`.
    func find(_ text: Span<UInt8>, at: Int) -> Finding? {
        guard text.count - at >= KnownValues.leastCount, let candidates = byStart[KnownValues.start(text, at)] else {
            return nil
        }
        for index in candidates where stands(forms[index].bytes, in: text, at: at) {
            return Finding(from: at, to: at + forms[index].bytes.count, mask: .label(names[forms[index].name]))
        }
        return nil
    }
}

/// The ways in which a value is written inside other text.
enum Encodings {
    static func all(of value: [UInt8]) -> Set<[UInt8]> {
        var forms: Set<[UInt8]> = [value]
        var escaped: [UInt8] = []
        JSONValue.escape(value, into: &escaped)
        var twice: [UInt8] = []
        JSONValue.escape(escaped, into: &twice)
        forms.formUnion([escaped, twice, escaped.flatMap { $0 == 0x2F ? [0x5C, 0x2F] : [$0] }])
        for upper in [true, false] {
            let digits = Array((upper ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
            let hex = { (byte: UInt8) in [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
            forms.insert(value.flatMap(hex))
            // What RFC 3986 leaves as it is; what encodeURIComponent does; and every byte.
            for kept in ["-._~", "-._~!*'()", "-._~/", "-._~/:@!$&'()*+,;="].map({ Set($0.utf8) }) {
                forms.insert(
                    value.flatMap { byte in
                        Letters.alphanumeric.contains(byte) || kept.contains(byte) ? [byte] : [0x25] + hex(byte)
                    }
                )
            }
            forms.insert(value.flatMap { [0x25] + hex($0) })
        }
        for offset in 0..<3 {
            let text = base64(value, offset: offset)
            forms.insert(text)
            forms.insert(text.map { $0 == 0x2B ? 0x2D : $0 == 0x2F ? 0x5F : $0 })
        }
        return forms
    }

    /// Stretches of the value that no escaping touches, long enough to be told from chance and from words: a credential whose punctuation
    /// was escaped in a way that nobody thought of still shows them whole.
    ///
    /// Sixteen characters with letters and digits among them are 64 bits even in hexadecimal, so none turns up by chance, and are no word and
    /// no company's name, of which passphrases and webhooks' addresses are made. Ids of digits alone, and words, may stand in anybody's rows:
    /// they count from 32 on. What begins a JWT is no secret, and the same in many: hiding it would break the shape by which others' are found.
    static func runs(of value: [UInt8]) -> Set<[UInt8]> {
        let runs = value.split { !Letters.alphanumeric.contains($0) }.filter { run in
            let found = run.reduce(Letters()) { kinds, byte in
                kinds.union(Letters.digit.contains(byte) ? .digit : .alphabetic)
            }
            return run.count >= (found == .alphanumeric ? leastRun : 2 * leastRun) && !run.starts(with: [0x65, 0x79])
        }
        return Set(runs.map(Array.init))
    }

    private static let leastRun = 16

    /// The base64 characters that depend on `value` alone when `offset` bytes stand before it in its group of
    /// three: the text of a credential inside `user:credential`, whatever the user is called.
    private static func base64(_ value: [UInt8], offset: Int) -> [UInt8] {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let bitCount = value.count * 8
        var out: [UInt8] = []
        // Bits are counted from the start of `value`; the group began `offset` bytes before it.
        var bit = (6 - offset * 8 % 6) % 6
        while bit + 6 <= bitCount {
            var six: UInt8 = 0
            for place in bit..<bit + 6 { six = six << 1 | (value[place / 8] >> UInt8(7 - place % 8) & 1) }
            out.append(letters[Int(six)])
            bit += 6
        }
        return out
    }
}
