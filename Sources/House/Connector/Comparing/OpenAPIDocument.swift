package import Model
internal import Yams

/// An API's own description: OpenAPI 3, JSON or YAML, as far as replies go.
package struct OpenAPIDocument: Sendable {
    package let root: JSONValue

    /// - Parameter file: the name for messages.
    package init(file: String, bytes: [UInt8]) throws(Fault) {
        let first = bytes.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        if first == UInt8(ascii: "{") {
            do throws(JSONError) { root = try JSONValue(parsing: bytes) } catch {
                throw Fault(.badPlan, "\(file) is not JSON: \(error)", mend: "give an OpenAPI document")
            }
        } else {
            root = try OpenAPIDocument.yaml(file, bytes)
        }
        guard root["openapi"]?.text?.hasPrefix("3.") == true, root["paths"]?.members != nil else {
            throw Fault(
                .badPlan,
                "\(file) is no OpenAPI 3 document: it has no `openapi: 3.…` or no `paths`",
                mend: "give the API's description as JSON or YAML"
            )
        }
    }

    // MARK: Reading

    private static func yaml(_ file: String, _ bytes: [UInt8]) throws(Fault) -> JSONValue {
        var budget = 20_000_000
        do {
            guard let node = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self)) else {
                throw Fault(.badPlan, "\(file) is empty", mend: "give an OpenAPI document")
            }
            return try value(node, &budget, depth: 0)
        } catch let fault as Fault {
            throw fault
        } catch {
            let place = (error as? YamlError).map { String("\($0)".split(separator: "\n").first ?? "") } ?? ""
            throw Fault(.badPlan, "\(file) is not YAML: \(place)", mend: "give an OpenAPI document")
        }
    }

    /// - Parameter budget: aliases can make a small file huge.
    private static func value(_ node: Node, _ budget: inout Int, depth: Int) throws(Fault) -> JSONValue {
        budget -= 1
        guard budget > 0, depth < 200 else {
            throw Fault(.badPlan, "the document is too large or too deep", mend: "give the document without aliases")
        }
        switch node {
        case .mapping(let mapping):
            var members: [JSONValue.Member] = []
            for (key, inner) in mapping {
                members.append(.init(key.string ?? "", try value(inner, &budget, depth: depth + 1)))
            }
            return .object(members)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for inner in sequence { elements.append(try value(inner, &budget, depth: depth + 1)) }
            return .array(elements)
        case .scalar(let scalar):
            guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
            switch scalar.string {
            case "true": return true
            case "false": return false
            case "null", "~", "": return .null
            default: return .string(scalar.string)
            }
        case .alias: return .null
        }
    }

    // MARK: Finding one's way

    /// The value that a local reference names: `#/components/schemas/User`.
    package func resolved(_ value: JSONValue, depth: Int = 0) -> JSONValue {
        guard let reference = value["$ref"]?.text, reference.hasPrefix("#/"), depth < 50 else { return value }
        var found = root
        for part in reference.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false) {
            let key = String(part.replacing("~1", with: "/").replacing("~0", with: "~"))
            guard let next = found[key] else { return .null }
            found = next
        }
        return resolved(found, depth: depth + 1)
    }

    /// Paths that can be read, with the names of their parameters left out: `/projects/{}/users`.
    package var readablePaths: [String] {
        (root["paths"]?.members ?? []).filter { $0.value["get"] != nil }.map { OpenAPIDocument.plain($0.key) }
    }

    package static func plain(_ path: String) -> String {
        var out = ""
        var isInside = false
        for character in path {
            if character == "{" {
                isInside = true
                out += "{}"
            } else if character == "}" {
                isInside = false
            } else if !isInside {
                out.append(character)
            }
        }
        return out
    }

    /// The schema of a successful reply to GET; `nil`: the document has no such path. `.null`: it says nothing of it.
    package func reply(to path: String) -> JSONValue? {
        let wanted = OpenAPIDocument.plain(path)
        guard let item = root["paths"]?.members?.first(where: { OpenAPIDocument.plain($0.key) == wanted })?.value,
            let operation = resolved(item)["get"]
        else { return nil }
        let responses = operation["responses"]?.members ?? []
        let success = responses.first { $0.key == "200" } ?? responses.first { $0.key.hasPrefix("2") }
        let content = success.map { resolved($0.value)["content"]?.members ?? [] } ?? []
        let media = content.first { $0.key.hasPrefix("application/json") } ?? content.first { $0.key.contains("json") }
        return media?.value["schema"] ?? .null
    }
}
