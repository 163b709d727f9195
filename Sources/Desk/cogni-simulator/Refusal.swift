/// An answer in the service's error envelope: all four members are always there.
struct Refusal: Error, Equatable {
    var status: Int
    var message: String
    var type = "invalid_request_error"
    var parameter: String?
    var code: String?

    var body: [UInt8] {
        let envelope: Value = [
            "error": [
                "message": .string(message), "type": .string(type), "param": .optional(parameter),
                "code": .optional(code),
            ]
        ]
        return envelope.json
    }

    static func badParameter(_ name: String, _ message: String) -> Refusal {
        Refusal(status: 400, message: message, parameter: name, code: "invalid_request_error")
    }

    static func notFound(_ what: String, _ id: String) -> Refusal {
        Refusal(status: 404, message: "No such \(what): '\(id)'.", code: "not_found")
    }

    static func archived(_ project: String) -> Refusal {
        Refusal(
            status: 400,
            message: "Project '\(project)' is archived.",
            parameter: "project_id",
            code: "project_archived"
        )
    }

    static let missingKey = Refusal(
        status: 401,
        message: "You didn't provide an API key. Send it in an Authorization header: 'Authorization: Bearer YOUR_KEY'."
    )

    /// The service repeats the key, masked: clients must not log it as it comes.
    static func wrongKey(_ key: String) -> Refusal {
        let masked = key.count > 12 ? "\(key.prefix(4))***\(key.suffix(4))" : "***"
        return Refusal(status: 401, message: "Incorrect API key provided: \(masked).", code: "invalid_api_key")
    }

    static func missingScope(_ scope: String, status: Int = 403) -> Refusal {
        Refusal(
            status: status,
            message: "You have insufficient permissions for this operation. Missing scopes: \(scope)."
        )
    }
}
