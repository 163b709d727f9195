internal import Sealing

/// A key program's answer, read where it lies: `{"ok":true,"data":"b64"}`, or `{"ok":false,"error":"…"}`.
///
/// `data` may be the master key, and a JSON parser makes arrays and strings that nobody wipes. So the members that are
/// asked for are looked for in the bytes themselves and copied once, into memory of a key's kind; others are passed over.
struct HookAnswer {
    private(set) var isGood: Bool?
    private(set) var data: KeyBytes?
    private(set) var error: KeyBytes?

    /// `nil` when it is not one JSON object.
    init?(_ answer: KeyBytes) throws(SealingError) {
        let found = answer.withSpan { span in HookAnswer.members(span) }
        guard let found else { return nil }
        for (name, value) in found {
            switch name {
            case .ok: isGood = answer.withSpan { $0[value.lowerBound] == UInt8(ascii: "t") }
            case .data: data = try HookAnswer.text(answer, value)
            case .error: error = try HookAnswer.text(answer, value)
            }
        }
    }

    private enum Name: String, CaseIterable { case ok, data, error }

    /// Where the values of the members stand that matter: texts without their quotes.
    private static func members(_ span: Span<UInt8>) -> [(Name, Range<Int>)]? {
        var reader = Place(end: span.count)
        var found: [(Name, Range<Int>)] = []
        guard reader.take(UInt8(ascii: "{"), span) else { return nil }
        if !reader.take(UInt8(ascii: "}"), span) {
            repeat {
                guard let key = reader.string(span), reader.take(UInt8(ascii: ":"), span) else { return nil }
                let name = Name.allCases.first { Array($0.rawValue.utf8) == key.map { span[$0] } }
                let start = reader.start(span)
                let isText = start < span.count && span[start] == UInt8(ascii: "\"")
                guard let value = isText ? reader.string(span) : reader.other(span) else { return nil }
                guard let name else { continue }
                // A member of another type is as good as none.
                let isWord = !isText && value.count > 0 && [0x74, 0x66].contains(span[value.lowerBound])
                if name == .ok ? isWord : isText { found.append((name, value)) }
            } while reader.take(UInt8(ascii: ","), span)
            guard reader.take(UInt8(ascii: "}"), span) else { return nil }
        }
        return reader.start(span) == span.count ? found : nil
    }

    /// The text between two quotes, unescaped; what stands for no single byte of ASCII becomes `?`.
    private static func text(_ answer: KeyBytes, _ range: Range<Int>) throws(SealingError) -> KeyBytes {
        var count = 0
        var at = range.lowerBound
        while at < range.upperBound {
            at = answer.withSpan { step($0, at).next }
            count += 1
        }
        at = range.lowerBound
        return try KeyBytes(count: count) { _ in
            let (byte, next) = answer.withSpan { step($0, at) }
            at = min(next, range.upperBound)
            return byte
        }
    }

    private static func step(_ span: Span<UInt8>, _ at: Int) -> (byte: UInt8, next: Int) {
        guard span[at] == UInt8(ascii: "\\"), at + 1 < span.count else { return (span[at], at + 1) }
        switch span[at + 1] {
        case UInt8(ascii: "n"): return (0x0A, at + 2)
        case UInt8(ascii: "r"): return (0x0D, at + 2)
        case UInt8(ascii: "t"): return (0x09, at + 2)
        case UInt8(ascii: "u"):
            guard at + 5 < span.count else { return (UInt8(ascii: "?"), span.count) }
            var value: UInt32 = 0
            for index in at + 2..<at + 6 {
                switch span[index] {
                case let digit where (0x30...0x39).contains(digit): value = value << 4 | UInt32(digit - 0x30)
                case let digit where (0x41...0x46).contains(digit & 0xDF):
                    value = value << 4 | UInt32((digit & 0xDF) - 0x37)
                default: value = 0x10_0000
                }
            }
            return (value < 0x80 ? UInt8(value) : UInt8(ascii: "?"), at + 6)
        case let byte: return (byte, at + 2)
        }
    }

    /// Walks over the answer's bytes.
    private struct Place {
        private var at = 0
        private let end: Int

        init(end: Int) { self.end = end }

        /// After the white space.
        mutating func start(_ span: Span<UInt8>) -> Int {
            while at < end, [0x20, 0x09, 0x0A, 0x0D].contains(span[at]) { at += 1 }
            return at
        }

        mutating func take(_ byte: UInt8, _ span: Span<UInt8>) -> Bool {
            guard start(span) < end, span[at] == byte else { return false }
            at += 1
            return true
        }

        mutating func string(_ span: Span<UInt8>) -> Range<Int>? {
            guard take(UInt8(ascii: "\""), span) else { return nil }
            let first = at
            while at < end, span[at] != UInt8(ascii: "\"") {
                guard span[at] >= 0x20 else { return nil }
                at += span[at] == UInt8(ascii: "\\") ? 2 : 1
            }
            guard at < end else { return nil }
            at += 1
            return first..<at - 1
        }

        /// A word, a number, an object or an array, up to where it ends.
        mutating func other(_ span: Span<UInt8>) -> Range<Int>? {
            let first = start(span)
            var depth = 0
            while at < end {
                switch span[at] {
                case UInt8(ascii: "\""):
                    guard string(span) != nil else { return nil }
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","):
                    if depth == 0 { return first < at ? first..<at : nil }
                    if span[at] != UInt8(ascii: ",") { depth -= 1 }
                default: break
                }
                at += 1
            }
            return nil
        }
    }
}
