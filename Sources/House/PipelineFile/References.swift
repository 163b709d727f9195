import Connector

/// What a pipeline file takes from outside: the variables and files that its values name.
package struct Reference: Sendable, Equatable {
    package enum Standing: Sendable, Equatable {
        case set
        /// Not set, or empty; the file has a default for it.
        case defaulted
        case missing
    }

    /// `OPENAI_ADMIN_KEY`, or the path of a file.
    package var name: String
    package var isFile: Bool
    /// Where it is named: `source.credential`.
    package var key: String
    package var standing: Standing
}

extension PipelineReader {
    /// Every reference of a file, in the file's order; each name once.
    package static func references(
        bytes: [UInt8],
        environment: [String: String],
        readFile: @escaping (String) -> [UInt8]?
    ) -> [Reference] {
        let report = FileReport(file: "")
        guard let root = YAMLFile.read(bytes, into: report) else { return [] }
        let variables = Variables(environment: environment, readFile: readFile)
        var found: [Reference] = []
        collect(root, key: "", variables, into: &found)
        return found
    }

    private static func collect(_ node: YAMLNode, key: String, _ variables: Variables, into found: inout [Reference]) {
        switch node.content {
        case .map(let entries):
            for entry in entries {
                collect(entry.value, key: key.isEmpty ? entry.key : "\(key).\(entry.key)", variables, into: &found)
            }
        case .list(let elements): for element in elements { collect(element, key: key, variables, into: &found) }
        case .text(let written, _):
            for part in (try? Variables.parts(of: written)) ?? [] where !part.name.isEmpty {
                guard !found.contains(where: { $0.name == part.name }) else { continue }
                found.append(
                    Reference(
                        name: part.name,
                        isFile: part.isFile,
                        key: key,
                        standing: variables.standing(of: part)
                    )
                )
            }
        }
    }
}

extension Variables.Part {
    fileprivate var isFile: Bool { if case .file = self { true } else { false } }
}

extension Variables {
    fileprivate func standing(of part: Part) -> Reference.Standing {
        if case .variable(let name, let fallback) = part {
            if environment[name, default: ""].isEmpty { return fallback == nil ? .missing : .defaulted }
            return .set
        }
        return (try? value(of: part)) == nil ? .missing : .set
    }
}
