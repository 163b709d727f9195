import CCurl
import PageMemory
import Synchronization

/// One request on its way: libcurl's easy handle, and where its callbacks put what arrives.
@safe final class CurlTransfer: @unchecked Sendable {  // all but `isCancelled` is touched by the loop's thread only
    typealias Continuation = CheckedContinuation<Result<CurlReply, CurlError>, Never>

    let request: CurlRequest
    let isCancelled = Atomic(false)
    /// Set before the transfer is handed to the loop, taken when it ends.
    var continuation: Continuation?

    private(set) var handle: UnsafeMutableRawPointer?
    private var list: UnsafeMutablePointer<curl_slist>?
    private let words: UnsafeMutablePointer<CChar>

    private var headers: [(name: String, value: String)] = []
    private var headerBytes = 0
    private var headerCount = 0
    private var statusSeen = 0
    private var headersAreDone = false
    private var declaredLength: Int?
    /// `Content-Encoding`, `nil` where the body is itself.
    private var coding: String?
    private var isChunked = false
    private var body: PageBytes?
    private var refusal: CurlError.Cause?

    init(_ request: CurlRequest) {
        self.request = request
        unsafe words = UnsafeMutablePointer.allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        release()
        unsafe words.deallocate()
    }

    /// Makes the handle and sets every option. Refused options are errors, never ignored.
    func prepare(certificateAuthorities: String?) throws(CurlError) {
        guard let easy = unsafe cogni_curl_easy_init() else { throw CurlError(.library, number: 27, "out of memory") }
        unsafe handle = easy
        var options = unsafe CurlOptions(handle: easy)
        options.apply(request, certificateAuthorities: certificateAuthorities)
        for header in request.headers {
            guard let line = header.line else {
                throw CurlError(.badRequest, "header \(header.name) holds characters that no header may")
            }
            guard let longer = unsafe cogni_curl_list_append(list, line) else {
                throw CurlError(.library, number: 27, "out of memory")
            }
            unsafe list = longer
        }
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe options.check(cogni_curl_set_list(easy, CURLOPT_HTTPHEADER, list), "HTTPHEADER")
        unsafe options.check(cogni_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, words), "ERRORBUFFER")
        unsafe options.check(cogni_curl_set_pointer(easy, CURLOPT_PRIVATE, context), "PRIVATE")
        unsafe options.check(cogni_curl_set_pointer(easy, CURLOPT_WRITEDATA, context), "WRITEDATA")
        unsafe options.check(cogni_curl_set_pointer(easy, CURLOPT_HEADERDATA, context), "HEADERDATA")
        unsafe options.check(cogni_curl_set_writer(easy, receiveBody), "WRITEFUNCTION")
        unsafe options.check(cogni_curl_set_header_writer(easy, receiveHeader), "HEADERFUNCTION")
        if request.publicAddressesOnly {
            unsafe options.check(cogni_curl_set_pointer(easy, CURLOPT_PREREQDATA, context), "PREREQDATA")
            unsafe options.check(cogni_curl_set_before_request(easy, judgeAddress), "PREREQFUNCTION")
        }
        if let refused = options.refused {
            throw CurlError(.library, number: refused.code, "this libcurl refuses CURLOPT_\(refused.name)")
        }
    }

    /// The transfer that a handle belongs to.
    static func owner(of easy: UnsafeMutableRawPointer) -> CurlTransfer? {
        var context: UnsafeMutableRawPointer?
        guard unsafe cogni_curl_get_pointer(easy, CURLINFO_PRIVATE, &context) == CURLE_OK else { return nil }
        return unsafe context.map { unsafe Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    func release() {
        if let easy = unsafe handle { unsafe cogni_curl_easy_cleanup(easy) }
        if let list = unsafe list { unsafe cogni_curl_list_free(list) }
        unsafe handle = nil
        unsafe list = nil
    }

    func resume(_ result: Result<CurlReply, CurlError>) {
        continuation?.resume(returning: result)
        continuation = nil
    }

    // MARK: What libcurl's callbacks hand over

    /// Returns false to make libcurl stop.
    func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Bool {
        headerBytes += bytes.count
        headerCount += 1
        // A status line and the empty line are counted as well, so that endless 1xx replies end.
        if headerBytes > request.limits.headerBytes || headerCount > request.limits.headerCount {
            refusal = .headersTooLarge
            return false
        }
        if headersAreDone { return true }  // a trailer
        let line = unsafe String(decoding: bytes, as: UTF8.self)
        if line.utf8.starts(with: "HTTP/".utf8) {
            headers = []
            (declaredLength, coding, isChunked) = (nil, nil, false)
            statusSeen = line.split(separator: " ").dropFirst().first.flatMap { Int($0.prefix(3)) } ?? 0
            return true
        }
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else {
            if statusSeen >= 200 { headersAreDone = true }  // the empty line
            return isLengthAcceptable
        }
        let name = line[..<colon].lowercased()
        let value = String(
            line[line.utf8.index(after: colon)...].drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        )
        note(name, value)
        headers.append((name, value))
        return true
    }

    private func note(_ name: String, _ value: String) {
        switch name {
        case "content-length": declaredLength = Int(value)
        case "content-encoding": coding = value.isEmpty || value.lowercased() == "identity" ? nil : value
        case "transfer-encoding": isChunked = value.lowercased().contains("chunked")
        default: break
        }
    }

    private var isLengthAcceptable: Bool {
        guard let declaredLength, declaredLength > request.limits.bodyBytes else { return true }
        refusal = .bodyTooLarge
        return false
    }

    /// Returns false to make libcurl stop before it has sent anything.
    func mayTalk(to address: String) -> Bool {
        if let address = NetworkAddress(address) {
            if address.isPublic { return true }
            if request.allowedNetworks.contains(where: { $0.contains(address) }) { return true }
        }
        refusal = .privateAddress
        return false
    }

    /// Returns false to make libcurl stop.
    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let page = body ?? PageBytes(capacity: expectedBytes)
        body = page
        // Whatever its Content-Length said. What a packed body would grow to is limited where it is unpacked.
        guard page.count + bytes.count <= request.limits.bodyBytes else {
            refusal = .bodyTooLarge
            return false
        }
        unsafe page.append(bytes)
        return true
    }

    /// Room to make for the body. What is announced need not come: of room that is never written, ``PageStock`` has the system
    /// give memory for a plausible page at most.
    private var expectedBytes: Int {
        guard let declaredLength, declaredLength > 0 else { return 256 << 10 }
        return min(max(declaredLength, 4096), request.limits.bodyBytes, 128 << 20)
    }

    // MARK: The end

    /// libcurl has a limit of its own for one header line, and calls what is longer "out of memory"
    /// (newer ones: "too large").
    private func libraryRefusal(_ code: CURLcode) -> CurlError.Cause? {
        let isLimit = code == CURLE_OUT_OF_MEMORY || code.rawValue == 100
        return isLimit && statusSeen > 0 && !headersAreDone ? .headersTooLarge : nil
    }

    private func words(for refusal: CurlError.Cause) -> String {
        let limits = request.limits
        return switch refusal {
        case .bodyTooLarge: "the body is over the limit of \(limits.bodyBytes) bytes"
        case .headersTooLarge:
            "the headers are over the limit of \(limits.headerBytes) bytes or \(limits.headerCount) lines"
        default: "the server's address is not a public one"
        }
    }

    private func refusal(of coding: String, _ failure: ContentDecoder.Failure) -> CurlError {
        if failure == .tooLarge { return CurlError(.bodyTooLarge, words(for: .bodyTooLarge), status: statusSeen) }
        let reason =
            failure == .unknown ? "a body in a coding that was not asked for" : "a cut or damaged \(coding) body"
        return CurlError(.library, number: CURLE_BAD_CONTENT_ENCODING.rawValue, reason, status: statusSeen)
    }

    func outcome(_ code: CURLcode) -> Result<CurlReply, CurlError> {
        if let refusal = refusal ?? libraryRefusal(code) {
            return .failure(CurlError(refusal, number: code.rawValue, words(for: refusal), status: statusSeen))
        }
        guard code == CURLE_OK, let easy = unsafe handle else {
            let own = unsafe String(cString: words)
            let reason = own.isEmpty ? unsafe String(cString: cogni_curl_easy_words(code)) : own
            return .failure(CurlError(.library, number: code.rawValue, reason, status: statusSeen))
        }
        var (status, connections, version) = (0, 0, 0)
        unsafe cogni_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        unsafe cogni_curl_get_long(easy, CURLINFO_NUM_CONNECTS, &connections)
        unsafe cogni_curl_get_long(easy, CURLINFO_HTTP_VERSION, &version)
        let isHTTP2 = version >= 3
        var page = body ?? PageBytes(capacity: 0)
        page.freeze()
        body = nil
        if let coding, page.count > 0 {
            do throws(ContentDecoder.Failure) {
                page = try ContentDecoder().decode(page, coding: coding, limit: request.limits.bodyBytes)
            } catch {
                return .failure(refusal(of: coding, error))
            }
        }
        return .success(
            CurlReply(
                status: status,
                headers: headers,
                body: page,
                isDelimited: isHTTP2 || isChunked || declaredLength != nil || status == 204 || status == 304,
                newConnections: connections,
                isHTTP2: isHTTP2
            )
        )
    }
}

private func isBlank(_ character: Character) -> Bool { character.isWhitespace }

private func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>,
    _ one: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.takeBody(UnsafeRawBufferPointer(start: bytes, count: count)) ? count : 0
}

private func receiveHeader(
    _ bytes: UnsafeMutablePointer<CChar>,
    _ one: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.takeHeader(UnsafeRawBufferPointer(start: bytes, count: count)) ? count : 0
}

private func judgeAddress(
    _ context: UnsafeMutableRawPointer?,
    _ remote: UnsafeMutablePointer<CChar>,
    _ local: UnsafeMutablePointer<CChar>,
    _ remotePort: CInt,
    _ localPort: CInt
) -> CInt {
    guard let context = unsafe context else { return CURL_PREREQFUNC_ABORT }
    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.mayTalk(to: String(cString: remote)) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}
