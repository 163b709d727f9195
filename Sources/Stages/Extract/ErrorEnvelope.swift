import Model
package import PageMemory

/// What an API says about a refusal: `{"error": {"message", "type", "param", "code"}}`, read leniently.
///
/// The error may be a bare string, its code a number, the body a gateway's HTML page, or empty.
package struct ErrorEnvelope: Sendable, Equatable {
    /// One line, at most 200 characters, secrets masked; empty when there is none.
    package var message: String
    package var type: String?
    package var param: String?
    package var code: String?

    package init(message: String = "", type: String? = nil, param: String? = nil, code: String? = nil) {
        self.message = message
        self.type = type
        self.param = param
        self.code = code
    }

    /// - sanitize: what every text from outside goes through before it may stand in a message.
    package init(body: PageBytes, sanitize: (String) -> String = MessageFilter.clean) {
        self.init()
        guard body.count > 0 else { return }
        let bytes = body.prefix(64 << 10)
        guard let value = try? JSONValue(parsing: bytes) else {
            let isMarkup = bytes.first { $0 > 0x20 } == UInt8(ascii: "<")
            message = isMarkup ? "a page of HTML instead of JSON" : "\(body.count) bytes that are not JSON"
            return
        }
        let error = value["error"] ?? value
        func field(_ key: String) -> String? {
            switch error[key] {
            case .string(let text): MessageFilter.bounded(sanitize(text))
            case .number(let text): text
            default: nil
            }
        }
        message = field("message") ?? error.text.map { MessageFilter.bounded(sanitize($0)) } ?? ""
        (type, param, code) = (field("type"), field("param"), field("code"))
    }

    /// `invalid_request_error, param start_time: …`, for messages.
    package var text: String {
        let tag = [code ?? type, param.map { "param \($0)" }].compactMap(\.self).joined(separator: ", ")
        return [tag, message].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}
