package import Model

/// Turns what went wrong with one request into a fault: which class, what happened, where, how to mend.
package struct FaultWords: Sendable {
    package var stream: String
    /// Path template: `/organization/users`.
    package var template: String
    /// Between stream and request, from the outside in: `window 2025-11-01..2025-12-01`, `page 3`.
    package var place: [String]
    /// What holds the credential: `OPENAI_ADMIN_KEY`.
    package var credentialName: String
    /// The scope the stream needs; may be empty.
    package var scope: String
    package var requestIDHeader: String
    private let sanitize: @Sendable (String) -> String

    /// - sanitize: what every text from outside goes through, whole, before it may stand in a message.
    package init(
        stream: String,
        template: String,
        place: [String] = [],
        credentialName: String,
        scope: String = "",
        requestIDHeader: String = "x-request-id",
        sanitize: @escaping @Sendable (String) -> String = MessageFilter.clean
    ) {
        self.stream = stream
        self.template = template
        self.place = place
        self.credentialName = credentialName
        self.scope = scope
        self.requestIDHeader = requestIDHeader
        self.sanitize = sanitize
    }

    /// - isFinal: a 429 that never clears by waiting.
    package func fault(
        status: Int,
        headers: [String: String],
        envelope: ErrorEnvelope,
        isFinal: Bool,
        attempts: Int,
        after elapsed: Duration
    ) -> Fault {
        let said = envelope.text.isEmpty ? "" : " (\(envelope.text))"
        let what = "GET \(template) answered \(status)\(said)\(FaultWords.spent(attempts, elapsed))"
        let (code, mend) = judgement(status, envelope, isFinal)
        var answer = what
        if FaultWords.isRedirect(status) { answer += FaultWords.target(of: headers) }
        return Fault(code, answer, at: places(headers), mend: mend)
    }

    /// - mend: what else than the reply may be wrong.
    package func malformed(
        _ reason: String,
        mend: String? = nil,
        headers: [String: String],
        attempts: Int,
        after elapsed: Duration
    ) -> Fault {
        Fault(
            .badReply,
            "GET \(template) answered 200 with a page that can't be used: \(reason)\(FaultWords.spent(attempts, elapsed))",
            at: places(headers),
            mend: (mend.map { "\($0); if they agree, " } ?? "")
                + "run it again later; if it stays, give the API's support the request id"
        )
    }

    package func fault(_ error: TransportError, attempts: Int, after elapsed: Duration) -> Fault {
        let spent = FaultWords.spent(attempts, elapsed)
        let (code, what, mend): (Fault.Code, String, String) =
            switch error.kind {
            case .unreachable:
                (
                    .unreachable, "could not be sent: \(error.reason)",
                    "check the network and source.base_url, then \(retryLater)"
                )
            case .timeout:
                (
                    .unreachable, "took too long: \(error.reason)",
                    "ask for less at a time (source.page_limit), or \(retryLater)"
                )
            case .cut:
                (
                    .badReply, "was cut: \(error.reason)",
                    "look for a proxy or firewall that cuts long replies, then \(retryLater)"
                )
            case .untrusted:
                (
                    .denied, "could not be sent safely: \(error.reason)",
                    "check source.base_url and the server's certificate"
                )
            case .tooLarge:
                (
                    .badReply, "was refused: \(error.reason)",
                    "ask for less at a time (source.page_limit), or raise source.max_page_size"
                )
            case .notRecorded:
                (
                    .badPlan, "is not in the fixture: \(error.reason)",
                    "record it again with `cogni record`, or run the window that it holds (--now, --since, --until)"
                )
            case .cancelled:
                (.interrupted, "was stopped", "run the same command again: it goes on from the last page kept")
            }
        return Fault(code, "GET \(template) \(what)\(spent)", at: places([:]), mend: mend)
    }

    private func judgement(_ status: Int, _ envelope: ErrorEnvelope, _ isFinal: Bool) -> (Fault.Code, String) {
        switch status {
        case 401:
            return (
                .denied, isAboutScope(envelope) ? scopeMend : "set \(credentialName) to a valid, unrevoked admin key"
            )
        case 403:
            return (.denied, scopeMend)
        case 404:
            return (.badReply, "check source.base_url; if the object was deleted meanwhile, run again")
        case 429 where isFinal:
            return (.denied, "raise the organization's limit or top up its credit, then run again")
        case 408, 409, 425, 429, 500...:
            return (.unreachable, retryLater)
        case let status where FaultWords.isRedirect(status):
            return (.badReply, "set source.base_url to the API's own address: redirects are never followed")
        case 400..<500:
            return (.badReply, "change what the stream asks for in the pipeline file, as the API's message says")
        default:
            return (.badReply, "run it again later; if it stays, give the API's support the request id")
        }
    }

    /// Some APIs answer a missing scope with 401, as if the key itself were bad.
    package func isAboutScope(_ envelope: ErrorEnvelope) -> Bool {
        let said = envelope.message.lowercased()
        return said.contains("missing scope") || said.contains("insufficient permission")
    }

    private var scopeMend: String {
        let key = scope.isEmpty ? "that may read it" : "with scope \(scope)"
        return "set \(credentialName) to a key \(key), or leave stream \(stream) out (its rows then leave the archive)"
    }

    private var retryLater: String {
        "run the same command again (it goes on from the last page kept), or raise source.retry.budget"
    }

    private func places(_ headers: [String: String]) -> [String] {
        let id = headers[requestIDHeader.lowercased()].map { "request \(MessageFilter.bounded(sanitize($0)))" }
        return ["stream \(stream)"] + place + [id].compactMap(\.self)
    }

    /// 304 answers a condition that nobody sent: odd, but it leads nowhere.
    private static func isRedirect(_ status: Int) -> Bool { (300..<400).contains(status) && status != 304 }

    private static func spent(_ attempts: Int, _ elapsed: Duration) -> String {
        attempts == 1 ? "" : ", the last of \(attempts) attempts in \(elapsed.text)"
    }

    private static func target(of headers: [String: String]) -> String {
        guard let location = headers["location"] else { return ", a redirect" }
        guard let address = WebAddress(location) else { return ", a redirect to another path" }
        return ", a redirect to \(address.origin.scheme)://\(address.origin.host)"
    }
}
