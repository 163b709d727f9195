package import Model
internal import Sealing

/// A key that events are signed with, by Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes.
package struct WebhookKey: Sendable {
    private let bytes: KeyBytes

    /// The keys of a secret: one, or several separated by spaces or lines, which all sign while a receiver changes over.
    ///
    /// Throws `.badPlan`, without a letter of what was wrong.
    package static func keys(_ secret: Secret) throws(Fault) -> [WebhookKey] {
        var keys: [WebhookKey] = []
        for text in secret.reveal().split(whereSeparator: \.isWhitespace) {
            let base64 = text.hasPrefix("whsec_") ? String(text.dropFirst(6)) : String(text)
            guard let raw = Base64.standard.decode(base64), (24...64).contains(raw.count),
                let bytes = try? KeyBytes(copying: raw.span)
            else {
                throw Fault(
                    .badPlan,
                    "what \(secret.name) holds is no webhook secret",
                    mend:
                        "set it to whsec_ and the base64 of 24 to 64 random bytes: echo whsec_$(openssl rand -base64 32)"
                )
            }
            keys.append(WebhookKey(bytes: bytes))
        }
        guard !keys.isEmpty else {
            throw Fault(.badPlan, "\(secret.name) is empty", mend: "set it to whsec_ and the base64 of 32 random bytes")
        }
        return keys
    }

    /// `v1,` and the base64 of HMAC-SHA-256 over `id.timestamp.body`.
    package func signature(id: String, timestamp: Instant, body: String) throws(Fault) -> String {
        precondition(!id.contains("."), "an id with a point could be read in two ways")
        do throws(SealingError) {
            let message = Array("\(id).\(timestamp.seconds).\(body)".utf8)
            return "v1,\(Base64.standard.text(try HMACSHA256(key: bytes).code(message.span)))"
        } catch {
            throw Fault(.cannotSeal, "an event could not be signed: \(error)", mend: "check the OpenSSL installation")
        }
    }
}
