internal import Model

/// Reads the tree that ``Composer`` made of a YAML file before the program was built: the same nodes in the same places.
///
/// The first line names the form and the YAML's digest. Each further line is a node: a collection stands before what is
/// in it, a key before its value.
///
///     k 2 3 4 "name"     a key two lines below the node before, in column 3, four scalars long
///     p 0 9 5 "users"    a text without quotes; q: in quotes
///     m 0 1 3            a mapping of three keys; l: a list of three elements
///
/// Whatever is not exactly that is no tree, and the YAML is read in its place.
struct PrecomposedTree {
    private struct Odd: Error {}

    private let bytes: [UInt8]
    private var at: Int
    /// The last node's.
    private var line = 1

    /// `nil`: it was made of another file, or is damaged.
    static func root(in bytes: [UInt8], of yaml: [UInt8]) -> YAMLNode? {
        let heading = heading(of: yaml)
        guard bytes.starts(with: heading) else { return nil }
        var tree = PrecomposedTree(bytes: bytes, at: heading.count)
        guard let root = try? tree.node(depth: 1), tree.at == bytes.count else { return nil }
        return root
    }

    /// FNV-1a, 64 bits: it has to tell that somebody forgot to make the tree anew, at each start of the program.
    static func heading(of yaml: [UInt8]) -> [UInt8] {
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in yaml { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Array("nodes 1 \(String(digest, radix: 16))\n".utf8)
    }

    private init(bytes: [UInt8], at: Int) {
        self.bytes = bytes
        self.at = at
    }

    private mutating func node(depth: Int) throws(Odd) -> YAMLNode {
        guard depth <= YAMLFile.depthLimit else { throw Odd() }
        let kind = byte()
        switch kind {
        case Sign.plain, Sign.quoted:
            let place = try textPlace()
            return YAMLNode(content: .text(try text(), isPlain: kind == Sign.plain), place: place)
        case Sign.list:
            let (place, count) = try start()
            var elements: [YAMLNode] = []
            elements.reserveCapacity(count)
            for _ in 0..<count { elements.append(try node(depth: depth + 1)) }
            return YAMLNode(content: .list(elements), place: place)
        case Sign.map:
            let (place, count) = try start()
            var entries: [YAMLNode.Entry] = []
            entries.reserveCapacity(count)
            for _ in 0..<count { entries.append(try entry(depth: depth + 1)) }
            return YAMLNode(content: .map(entries), place: place)
        default: throw Odd()
        }
    }

    private mutating func entry(depth: Int) throws(Odd) -> YAMLNode.Entry {
        guard byte() == Sign.key else { throw Odd() }
        let place = try textPlace()
        let key = try text()
        return .init(key: key, keyPlace: place, value: try node(depth: depth))
    }

    private mutating func textPlace() throws(Odd) -> Place {
        let (column, length) = try numbers()
        guard length > 0, byte() == Sign.space else { throw Odd() }
        return Place(line: line, column: column, length: length)
    }

    /// Where a collection begins, and how much is in it.
    private mutating func start() throws(Odd) -> (Place, count: Int) {
        let (column, count) = try numbers()
        // Each of them takes a line.
        guard byte() == Sign.newline, count <= bytes.count - at else { throw Odd() }
        return (Place(line: line, column: column), count)
    }

    /// The three numbers of each node.
    private mutating func numbers() throws(Odd) -> (column: Int, last: Int) {
        line += try number()
        let column = try number()
        guard column > 0 else { throw Odd() }
        return (column, try number())
    }

    private mutating func number() throws(Odd) -> Int {
        guard byte() == Sign.space else { throw Odd() }
        let start = at
        var number = 0
        while at < bytes.count, Sign.digits ~= bytes[at], at - start < 7 {
            number = number * 10 + Int(bytes[at] - Sign.digits.lowerBound)
            at += 1
        }
        guard at > start else { throw Odd() }
        return number
    }

    /// A JSON string and the end of its line.
    private mutating func text() throws(Odd) -> String {
        let start = at
        var isLiteral = true
        while at < bytes.count, bytes[at] != Sign.newline {
            if bytes[at] == Sign.escape { isLiteral = false }
            at += 1
        }
        guard byte() == Sign.newline else { throw Odd() }
        let end = at - 1
        guard end - start >= 2, bytes[start] == Sign.quote, bytes[end - 1] == Sign.quote else { throw Odd() }
        let text =
            isLiteral
            ? String(validating: bytes[(start + 1)..<(end - 1)], as: UTF8.self)
            : (try? JSONValue(parsing: Array(bytes[start..<end])))?.text
        guard let text else { throw Odd() }
        return text
    }

    /// The next byte; 0 behind the last one, which means nothing anywhere.
    private mutating func byte() -> UInt8 {
        guard at < bytes.count else { return 0 }
        at += 1
        return bytes[at - 1]
    }

    private enum Sign {
        static let key = UInt8(ascii: "k"), plain = UInt8(ascii: "p"), quoted = UInt8(ascii: "q")
        static let map = UInt8(ascii: "m"), list = UInt8(ascii: "l")
        static let space = UInt8(ascii: " "), newline = UInt8(ascii: "\n")
        static let quote = UInt8(ascii: "\""), escape = UInt8(ascii: "\\")
        static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    }
}
