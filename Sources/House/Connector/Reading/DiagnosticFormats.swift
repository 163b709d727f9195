package import Model

/// The same diagnostics for editors and CI.
extension Diagnostics {
    /// `{"errors", "warnings", "notes", "diagnostics": [{severity, code, file, line, column, length, message, hint, allowed}]}`
    package var json: JSONValue {
        let list = all.map { one -> JSONValue in
            [
                "severity": .string(one.severity.rawValue),
                "code": .string(one.code.rawValue),
                "file": .string(one.file),
                "line": one.place.map { .integer($0.line) } ?? nil,
                "column": one.place.map { .integer($0.column) } ?? nil,
                "length": one.place.map { .integer($0.length) } ?? nil,
                "message": .string(one.message),
                "hint": .optional(one.hint),
                "allowed": .strings(one.allowed),
            ]
        }
        return [
            "errors": .integer(count(.error)),
            "warnings": .integer(count(.warning)),
            "notes": .integer(count(.note)),
            "diagnostics": .array(list),
        ]
    }

    /// Workflow commands of GitHub Actions, one a line.
    package var github: String {
        all.map { one in
            let command = one.severity == .note ? "notice" : one.severity.rawValue
            var properties = "file=\(Diagnostics.escaped(one.file, isProperty: true))"
            if let place = one.place {
                properties += ",line=\(place.line),col=\(place.column),endColumn=\(place.column + place.length)"
            }
            properties += ",title=\(one.code.rawValue)"
            let extra = one.allowed.isEmpty ? nil : "allowed: \(one.allowed.joined(separator: ", "))"
            let said = [one.message, one.hint, extra].compactMap(\.self).joined(separator: "; ")
            return "::\(command) \(properties)::\(Diagnostics.escaped(said, isProperty: false))"
        }
        .joined(separator: "\n")
    }

    /// The runner decodes these again; without them a newline or a comma would end the command.
    private static func escaped(_ text: String, isProperty: Bool) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%": out += "%25"
            case "\r": out += "%0D"
            case "\n": out += "%0A"
            case ":" where isProperty: out += "%3A"
            case "," where isProperty: out += "%2C"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// SARIF 2.1.0 with one run.
    package var sarif: JSONValue {
        let codes = Diagnostic.Code.allCases
        let rules = codes.map { code -> JSONValue in
            ["id": .string(code.rawValue), "shortDescription": ["text": .string(code.meaning)]]
        }
        let driver: JSONValue = ["name": "cogni", "rules": .array(rules)]
        return [
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [
                [
                    "tool": ["driver": driver],
                    "columnKind": "unicodeCodePoints",
                    "results": .array(all.map { Diagnostics.sarifResult($0, codes: codes) }),
                ]
            ],
        ]
    }

    private static func sarifResult(_ one: Diagnostic, codes: [Diagnostic.Code]) -> JSONValue {
        var physical: [JSONValue.Member] = [
            .init("artifactLocation", ["uri": .string(sarifURI(one.file))])
        ]
        if let place = one.place {
            let region: JSONValue = [
                "startLine": .integer(place.line), "startColumn": .integer(place.column),
                "endColumn": .integer(place.column + place.length),
            ]
            physical.append(.init("region", region))
        }
        let said = [one.message, one.hint].compactMap(\.self).joined(separator: "; ")
        return [
            "ruleId": .string(one.code.rawValue),
            "ruleIndex": .integer(codes.firstIndex(of: one.code) ?? 0),
            "level": .string(one.severity.rawValue),
            "message": ["text": .string(said)],
            "locations": [["physicalLocation": .object(physical)]],
        ]
    }

    /// A file name as a relative URI: what a URI cannot hold is percent-encoded.
    private static func sarifURI(_ file: String) -> String {
        let kept = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/".utf8)
        let hex = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in file.utf8 {
            if kept.contains(byte) { out.append(byte) } else { out += [37, hex[Int(byte >> 4)], hex[Int(byte & 15)]] }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
