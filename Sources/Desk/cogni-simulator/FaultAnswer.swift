// What a fault answers with, and what it does to a finished answer.
extension PlannedFault {
    /// The answer in place of the one asked for; `nil` when the fault lets the request through.
    /// - `realNow`: the machine's own Unix seconds, which clients compare dates with.
    func answer(hasCursor: Bool, realNow: Int) -> Reply? {
        switch kind {
        case .retryAfter:
            var reply = Self.throttled(status: parameters["status"]?.whole ?? 429)
            let value =
                parameters["value"]?.text
                ?? parameters["date_in_seconds"]?.whole.map { Moment.http(realNow + $0) }
                ?? String(parameters["seconds"]?.whole ?? 1)
            reply.headers.append(("retry-after", value))
            return reply
        case .retryAfterMilliseconds:
            var reply = Self.throttled()
            reply.headers.append(("retry-after-ms", String(parameters["ms"]?.whole ?? 200)))
            reply.headers.append(("retry-after", String(parameters["seconds"]?.whole ?? 5)))
            return reply
        case .rateWindow: return Self.throttled()
        case .shouldRetry:
            var reply = plainStatus(parameters["status"]?.whole ?? 429)
            reply.headers.append(("x-should-retry", parameters["value"]?.text ?? "false"))
            return reply
        case .quota:
            return Reply(
                Refusal(
                    status: 429,
                    message: "You exceeded your current quota, please check your plan and billing details.",
                    type: "insufficient_quota",
                    code: parameters["code"]?.text ?? "credit_balance_exhausted"
                )
            )
        case .status: return plainStatus(parameters["status"]?.whole ?? 500)
        case .unauthorized: return Reply(.wrongKey("sk-admin-simulated-fault"))
        case .missingScope:
            let scope = parameters["scope"]?.text ?? "api.usage.read"
            return Reply(.missingScope(scope, status: parameters["status"]?.whole ?? 403))
        case .notFound: return Reply(.notFound("object", path))
        case .tokenExpired:
            guard hasCursor else { return nil }
            return Reply(.badParameter("page", "Invalid page token. It may have expired or belong to another query."))
        case .redirect:
            var reply = Reply(body: [], status: parameters["status"]?.whole ?? 307)
            reply.headers.append(("location", parameters["location"]?.text ?? "http://127.0.0.1:9/elsewhere"))
            return reply
        case .errorWith200:
            var refusal = Refusal(status: 200, message: "The server had an error while processing your request.")
            refusal.message = parameters["message"]?.text ?? refusal.message
            refusal.type = parameters["type"]?.text ?? "server_error"
            refusal.code = parameters["code"]?.text
            return Reply(refusal)
        default: return nil
        }
    }

    private static func throttled(status: Int = 429) -> Reply {
        Reply(
            Refusal(
                status: status,
                message: "You're making too many requests, please slow down.",
                type: "requests",
                code: "rate_limit_exceeded"
            )
        )
    }

    private func plainStatus(_ status: Int) -> Reply {
        if status == 204 || status == 304 { return Reply(body: [], status: status) }
        let codes = [429: "rate_limit_exceeded", 503: "server_is_overloaded", 408: "request_timeout", 409: "conflict"]
        if parameters["html"]?.truth ?? (status == 502) {
            var reply = Reply(body: Self.gatewayPage(status), status: status)
            reply.contentType = "text/html; charset=utf-8"
            return reply
        }
        return Reply(
            Refusal(
                status: status,
                message: parameters["message"]?.text ?? "The server had an error while processing your request.",
                type: parameters["type"]?.text ?? (status >= 500 ? "server_error" : "invalid_request_error"),
                code: parameters["code"]?.text ?? codes[status]
            )
        )
    }

    private static func gatewayPage(_ status: Int) -> [UInt8] {
        let reason = Reply.reasons[status] ?? "Error"
        return Array(
            "<html><head><title>\(status) \(reason)</title></head><body><h1>\(reason)</h1></body></html>\n".utf8
        )
    }

    /// Changes a finished answer: its text, its headers or its way out.
    func spoil(_ reply: inout Reply) {
        let half = reply.body.count / 2
        let keep = max(0, parameters["keep"]?.whole ?? half)
        switch kind {
        case .truncatedJSON: reply.body = Array(reply.body.prefix(keep))
        case .emptyBody: reply.body = []
        case .html:
            reply.body = Self.gatewayPage(200)
            reply.contentType = "text/html; charset=utf-8"
        case .trailingGarbage: reply.body += Array("\n{\"object\":\"list\",\"data\":[]}".utf8)
        case .byteOrderMark: reply.body = [0xEF, 0xBB, 0xBF] + reply.body
        case .duplicateKeys:
            // The first `data` is empty: whoever takes it loses the page.
            reply.body = Array("{\"data\":[],\"has_more\":false,".utf8) + reply.body.dropFirst()
        case .gzip: reply.compress()
        case .corruptGzip:
            reply.compress()
            reply.body[reply.body.count - 8] ^= 0xFF
        case .cutGzip:
            reply.compress()
            let keep = max(0, parameters["keep"]?.whole ?? reply.body.count / 2)
            reply.body = Array(reply.body.prefix(keep))
        case .gzipBomb:
            reply.body = Gzip.bomb(bytes: parameters["bytes"]?.whole ?? 200_000_000)
            reply.headers.append(("content-encoding", "gzip"))
        case .deflate: reply.deflate()
        case .partialContent:
            let whole = reply.body.count
            reply.status = 206
            reply.body = Array(reply.body.prefix(keep))
            reply.headers.append(("content-range", "bytes 0-\(max(0, reply.body.count - 1))/\(whole)"))
        case .deepJSON:
            let depth = max(1, parameters["depth"]?.whole ?? 100_000)
            reply.body = Array("{\"object\":\"list\",\"data\":".utf8)
            reply.body += Array(repeating: UInt8(ascii: "["), count: depth)
            reply.body += Array(repeating: UInt8(ascii: "]"), count: depth) + Array(",\"has_more\":false}".utf8)
        case .bigHeader:
            let bytes = max(0, parameters["bytes"]?.whole ?? 200_000)
            reply.headers.append(("x-padding", String(repeating: "a", count: bytes)))
        case .manyHeaders:
            for number in 0..<max(0, parameters["count"]?.whole ?? 10_000) {
                reply.headers.append(("x-header-\(number)", "1"))
            }
        case .earlyHints: reply.wire.hints = max(0, parameters["count"]?.whole ?? 3)
        case .endlessBody: reply.wire = WirePlan(end: .endless, framing: .chunked)
        case .chunked: reply.wire.framing = .chunked
        case .reset: reply.wire.end = .resetAtOnce
        case .resetInBody: reply.wire.end = .reset(after: keep)
        case .shortBody: reply.wire.end = .finish(after: keep)
        case .cutChunked: reply.wire = WirePlan(end: .finish(after: keep), framing: .chunked)
        case .cutClose: reply.wire = WirePlan(end: .finish(after: keep), framing: .untilClose)
        case .drip:
            let bytes = parameters["bytes"]?.whole ?? 16
            reply.wire.end = .drip(bytes: max(1, bytes), milliseconds: parameters["interval_ms"]?.whole ?? 100)
        case .stall:
            let stage = WirePlan.Stage(rawValue: parameters["at"]?.text ?? "headers") ?? .headers
            reply.wire.end = .stall(stage, seconds: parameters["seconds"]?.whole ?? 600)
        default: break
        }
    }
}
