import Model
import PageMemory

/// What can be said about a reply of status 200 without knowing its stream.
enum ReplyShape {
    static func verdict(_ reply: Reply, sanitize: (String) -> String) -> PageVerdict {
        if reply.body.count == 0 { return .malformed("the body is empty") }
        let type = reply.headers["content-type"]?.lowercased() ?? ""
        if type.contains("html") { return .malformed("it is HTML, not JSON") }
        return errorInDisguise(reply, sanitize) ?? .ok
    }

    /// An error envelope sent with status 200. Only small bodies are looked into: errors are short, and
    /// parsing a page twice would cost more than it finds.
    private static func errorInDisguise(_ reply: Reply, _ sanitize: (String) -> String) -> PageVerdict? {
        guard reply.body.count <= 8192, let value = try? JSONValue(parsing: reply.body.array),
            let error = value["error"], !error.isNull, error.boolean != false,
            value["data"] == nil, value["object"] == nil, value["id"] == nil
        else { return nil }
        let said = ErrorEnvelope(body: reply.body, sanitize: sanitize).text
        return .malformed("it is an error" + (said.isEmpty ? "" : ": \(said)"))
    }
}
