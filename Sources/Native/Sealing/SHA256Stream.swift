internal import COpenSSL

/// SHA-256 of bytes that come in pieces. One owner at a time; not `Sendable`.
///
/// Out of memory is the only way the library can fail here, and ends the program.
@safe package final class SHA256Stream {
    private let context: OpaquePointer
    /// Bytes taken in so far.
    package private(set) var count = 0

    package init() {
        guard let library = try? Library.get(), let context = unsafe EVP_MD_CTX_new() else {
            fatalError("libcrypto has no SHA-256")
        }
        unsafe self.context = context
        let started = unsafe EVP_DigestInit_ex2(context, library.sha256, nil)
        precondition(started == 1, "libcrypto: SHA-256 could not start")
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        let done = unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(done == 1, "libcrypto: SHA-256 could not go on")
        count += bytes.count
    }

    package func update(_ bytes: Span<UInt8>) { unsafe bytes.withUnsafeBytes { unsafe update($0) } }

    package func update(_ bytes: [UInt8]) { update(bytes.span) }

    /// The 32 bytes. The stream begins anew afterwards.
    package func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let done = unsafe digest.withUnsafeMutableBufferPointer { digest in
            unsafe EVP_DigestFinal_ex(context, digest.baseAddress, nil) == 1
                && EVP_DigestInit_ex2(context, nil, nil) == 1
        }
        precondition(done, "libcrypto: SHA-256 could not finish")
        count = 0
        return digest
    }

    /// 64 lower-case hex digits. The stream begins anew afterwards.
    package func finishHex() -> String { hexText(finish()) }

    /// The digest of bytes that are all there already.
    package static func hex(of bytes: Span<UInt8>) -> String {
        let stream = SHA256Stream()
        stream.update(bytes)
        return stream.finishHex()
    }

    package static func hex(of bytes: [UInt8]) -> String { hex(of: bytes.span) }
}

/// Lower-case hex, two digits a byte.
package func hexText(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] { text.append(nibble < 10 ? 48 + nibble : 87 + nibble) }
    }
    return String(decoding: text, as: UTF8.self)
}
