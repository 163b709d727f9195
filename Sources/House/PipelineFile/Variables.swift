import Connector

/// Fills `${NAME}`, `${NAME:-default}`, `${file:/path}` and `$$` into single values.
///
/// Values are filled in after the file has been read as YAML: whatever a variable holds, newlines, quotes
/// or `key:`, it stays inside its one value and can't become structure.
package struct Variables {
    package var environment: [String: String]
    /// The bytes of a file, or `nil` when it can't be read.
    package var readFile: (String) -> [UInt8]?

    package init(environment: [String: String], readFile: @escaping (String) -> [UInt8]?) {
        self.environment = environment
        self.readFile = readFile
    }

    package enum Problem: Error, Equatable {
        /// No value, and no default.
        case unset(String)
        case unreadableFile(String)
        /// `${` that goes nowhere, a name that can't be one, `$NAME` without braces.
        case malformed(String)
    }

    /// One piece of a value.
    enum Part: Equatable {
        case text(String)
        case variable(String, fallback: String?)
        case file(String)

        /// What to set, for messages.
        var name: String {
            switch self {
            case .text: ""
            case .variable(let name, _): name
            case .file(let path): path
            }
        }
    }

    /// Throws the first problem of the text.
    package func expand(_ text: String) throws(Problem) -> String {
        guard text.utf8.contains(36) else { return text }
        var out = ""
        for part in try Variables.parts(of: text) { out += try value(of: part) }
        return out
    }

    func value(of part: Part) throws(Problem) -> String {
        switch part {
        case .text(let text): return text
        case .variable(let name, let fallback):
            // As in a shell, `:-` also stands in for a variable that is set to nothing.
            if let value = environment[name], fallback == nil || !value.isEmpty { return value }
            guard let fallback else { throw .unset(name) }
            return fallback
        case .file(let path):
            guard let bytes = readFile(path), let text = String(validating: bytes, as: UTF8.self) else {
                throw .unreadableFile(path)
            }
            // Editors and secret stores end files with a newline that nobody means.
            return text.last?.isNewline == true ? String(text.dropLast()) : text
        }
    }

    static func parts(of text: String) throws(Problem) -> [Part] {
        var parts: [Part] = []
        var literal = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            literal += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            switch rest.first {
            case "$":
                literal += "$"
                rest = rest.dropFirst()
            case "{":
                guard let end = rest.firstIndex(of: "}") else {
                    throw .malformed("\"${\" is not closed by \"}\"; a dollar sign is written $$")
                }
                if !literal.isEmpty { parts.append(.text(literal)) }
                literal = ""
                parts.append(try part(String(rest[rest.index(after: rest.startIndex)..<end])))
                rest = rest[rest.index(after: end)...]
            case let next? where next == "_" || next.isASCII && next.isLetter:
                throw .malformed("a variable is written ${NAME}, a dollar sign $$")
            default: literal += "$"
            }
        }
        literal += rest
        if !literal.isEmpty { parts.append(.text(literal)) }
        return parts
    }

    /// What stands between the braces.
    private static func part(_ inside: String) throws(Problem) -> Part {
        if inside.hasPrefix("file:") {
            let path = String(inside.dropFirst(5))
            guard !path.isEmpty else { throw .malformed("${file:…} names no file") }
            return .file(path)
        }
        let name = inside.prefix { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
        let tail = inside.dropFirst(name.count)
        guard let first = name.first, !first.isNumber, tail.isEmpty || tail.hasPrefix(":-") else {
            throw .malformed("between the braces stands NAME, NAME:-default or file:/path")
        }
        return .variable(String(name), fallback: tail.isEmpty ? nil : String(tail.dropFirst(2)))
    }
}

extension Variables {
    /// Lets a report fill variables in, and say what is wrong with those it can't.
    func fill(_ report: FileReport) {
        report.expand = { [self, unowned report] text, place in
            do throws(Problem) { return try expand(text) } catch {
                report.error(.variable, error.message, at: place, hint: error.hint)
                return nil
            }
        }
    }
}

extension Variables.Problem {
    var message: String {
        switch self {
        case .unset(let name): "the variable \(name) is not set"
        case .unreadableFile(let path): "the file \(path) cannot be read"
        case .malformed: "this is not a variable"
        }
    }

    var hint: String {
        switch self {
        case .unset(let name): "set it, or write ${\(name):-default}"
        case .unreadableFile: "create it, or correct the path"
        case .malformed(let why): why
        }
    }
}
