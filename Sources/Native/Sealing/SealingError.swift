internal import COpenSSL

/// What the sealing room refuses, in its own small words; the room that called turns it into a `Fault`.
/// Never holds keys, values or bytes of either.
package enum SealingError: Error, Sendable, Equatable, CustomStringConvertible {
    case wrongKeyLength(count: Int, needed: Int)
    /// Not of the form `ef1.<alg>.<kid>.<payload>`.
    case notAToken
    /// Sealed by something we do not implement (`G`, GCM with a synthetic nonce).
    case unsupportedAlgorithm
    /// The one answer to every cryptographic failure: a wrong key, field, tenant or binding, or changed bytes.
    case cannotOpen
    /// A pseudonym has no way back.
    case oneWay
    /// 2^32 random nonces were used by one sealer; more could repeat one.
    case keyIsWornOut
    /// OpenSSL before 3.0.12 sets key lengths wrongly (CVE-2023-5363).
    case libraryTooOld(String)
    /// OpenSSL's own queue, oldest first. Empty when OpenSSL said nothing.
    case openSSL(call: String, reasons: [String])

    package var description: String {
        switch self {
        case .wrongKeyLength(let count, let needed): "the key has \(count) bytes; \(needed) are needed"
        case .notAToken: "the text is not an ef1 token"
        case .unsupportedAlgorithm: "the token's algorithm is not supported"
        case .cannotOpen: "the token can't be opened"
        case .oneWay: "a pseudonym can't be opened"
        case .keyIsWornOut: "2^32 randomized values were sealed in one go; rotate the key"
        case .libraryTooOld(let version): "\(version) is too old; 3.0.12 or newer is needed"
        case .openSSL(let call, let reasons):
            "\(call): " + (reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; "))
        }
    }

    /// A failure of the call named, with everything that OpenSSL queued about it.
    static func of(_ call: String) -> SealingError { .openSSL(call: call, reasons: drainErrorQueue()) }
}

/// Takes everything off this thread's error queue, so that the next failure does not report this one.
@discardableResult
func drainErrorQueue() -> [String] {
    var reasons: [String] = []
    while case let code = ERR_get_error(), code != 0 {
        let text = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            unsafe ERR_error_string_n(code, buffer.baseAddress, buffer.count)
            return unsafe buffer.baseAddress.map { unsafe String(cString: $0) } ?? ""
        }
        reasons.append(text)
    }
    return reasons
}
