/// Reads what nearly every settings file is made of: block mappings and lists, flow collections on one line, and
/// scalars on one line, plain or in quotes without escapes.
///
/// The general parser needs ten times as long, and a run waits for it. It is asked wherever something else stands, be it
/// a mistake or only unusual: whatever is read here, ``Composer`` would read as the same nodes in the same places, and
/// would have nothing to say about. Lines and offsets count from 0 here.
struct PlainYAML {
    /// Not read here.
    struct Unusual: Error {}

    let bytes: [UInt8]
    private let lines: [Range<Int>]
    private let suspects: [Int]
    private(set) var line = -1
    /// The column of the line's first sign, which tells the depth; -1 behind the last line.
    private var indent = -1
    var at = 0
    /// Where the line ends.
    private(set) var end = 0
    private var nodeCount = 0
    private var depth = 0

    /// `nil`: let the general parser read it.
    ///
    /// - Parameter suspects: the numbers of the lines that may hold a secret.
    static func root(of source: SourceLines, suspects: [Int]) -> YAMLNode? {
        guard source.bytes.allSatisfy({ 0x20..<0x7F ~= $0 || $0 == 0x0A }) else { return nil }
        var reader = PlainYAML(source, suspects)
        return try? reader.root()
    }

    private init(_ source: SourceLines, _ suspects: [Int]) {
        bytes = source.bytes
        lines = source.ranges
        self.suspects = suspects
    }

    private mutating func root() throws(Unusual) -> YAMLNode {
        advance()
        guard indent == 0, !isItem else { throw Unusual() }
        let root = try mapping(at: 0)
        guard indent == -1 else { throw Unusual() }
        return root
    }

    // MARK: Lines

    /// Goes on to the next line that is neither empty nor a comment.
    private mutating func advance() {
        while line + 1 < lines.count {
            line += 1
            at = lines[line].lowerBound
            end = lines[line].upperBound
            indent = skipSpaces()
            if at < end, bytes[at] != Sign.comment { return }
        }
        indent = -1
    }

    /// Nothing but a comment may follow on the line.
    private mutating func finishLine() throws(Unusual) {
        let isApart = skipSpaces() > 0
        guard at == end || bytes[at] == Sign.comment && isApart else { throw Unusual() }
        advance()
    }

    @discardableResult mutating func skipSpaces() -> Int {
        let start = at
        while at < end, bytes[at] == Sign.space { at += 1 }
        return at - start
    }

    /// What the next sign of the line is; a newline at its end.
    func sign(_ distance: Int = 0) -> UInt8 { at + distance < end ? bytes[at + distance] : Sign.newline }

    private var isItem: Bool { sign() == Sign.item && sign(1) == Sign.space }
    private var column: Int { at - lines[line].lowerBound }
    var place: Place { Place(line: line + 1, column: column + 1) }

    // MARK: Blocks

    /// The mapping whose keys begin in a column.
    private mutating func mapping(at column: Int) throws(Unusual) -> YAMLNode {
        let place = place
        var entries: [YAMLNode.Entry] = []
        try enter()
        repeat {
            let key = try key(behind: entries)
            let value = try value(in: column)
            try add(key, value, to: &entries)
        } while indent == column && !isItem
        // What is further in goes on with the value above, or belongs to nothing.
        guard indent <= column else { throw Unusual() }
        depth -= 1
        return YAMLNode(content: .map(entries), place: place)
    }

    private mutating func value(in column: Int) throws(Unusual) -> YAMLNode {
        skipSpaces()
        guard at == end || bytes[at] == Sign.comment else { return try lastOfLine() }
        advance()
        // A list may stand as far out as the key that it belongs to.
        if indent >= column, isItem { return try list(at: indent) }
        guard indent > column else { throw Unusual() }
        return try mapping(at: indent)
    }

    /// The list whose dashes stand in a column.
    private mutating func list(at column: Int) throws(Unusual) -> YAMLNode {
        let place = place
        var elements: [YAMLNode] = []
        try enter()
        repeat {
            at += 1
            skipSpaces()
            elements.append(try element())
        } while indent == column && isItem
        guard indent <= column else { throw Unusual() }
        depth -= 1
        return YAMLNode(content: .list(elements), place: place)
    }

    private mutating func element() throws(Unusual) -> YAMLNode {
        if Sign.beginsKey(sign()) {
            let start = at
            try skipPlain(inFlow: false)
            let isKey = sign() == Sign.colon
            at = start
            if isKey { return try mapping(at: column) }
        }
        return try lastOfLine()
    }

    private mutating func lastOfLine() throws(Unusual) -> YAMLNode {
        let node =
            switch sign() {
            case Sign.openMap: try flowMapping()
            case Sign.openList: try flowList()
            default: try scalar(inFlow: false)
            }
        try finishLine()
        return node
    }

    // MARK: What both kinds of collections need

    mutating func enter() throws(Unusual) {
        depth += 1
        try count()
        guard depth < YAMLFile.depthLimit - 1 else { throw Unusual() }
    }

    mutating func leave() { depth -= 1 }

    mutating func count() throws(Unusual) {
        nodeCount += 1
        guard nodeCount <= YAMLFile.nodeLimit else { throw Unusual() }
    }

    /// Whether this text of the current line is a secret.
    func isSecret(_ text: String) -> Bool {
        !suspects.isEmpty && suspects.contains(line + 1) && SecretShapes.isSecret(text)
    }

    /// The signs that mean something here.
    enum Sign {
        static let newline = UInt8(ascii: "\n"), space = UInt8(ascii: " "), comment = UInt8(ascii: "#")
        static let item = UInt8(ascii: "-"), colon = UInt8(ascii: ":"), comma = UInt8(ascii: ",")
        static let openMap = UInt8(ascii: "{"), closeMap = UInt8(ascii: "}")
        static let openList = UInt8(ascii: "["), closeList = UInt8(ascii: "]")
        static let quote = UInt8(ascii: "\""), apostrophe = UInt8(ascii: "'"), escape = UInt8(ascii: "\\")
        static let dollar = UInt8(ascii: "$"), question = UInt8(ascii: "?")

        static func beginsKey(_ sign: UInt8) -> Bool {
            switch sign {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
            default: false
            }
        }

        static func beginsValue(_ sign: UInt8) -> Bool {
            switch sign {
            case dollar, UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "~"): true
            default: beginsKey(sign)
            }
        }
    }
}
