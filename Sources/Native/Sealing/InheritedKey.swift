internal import COpenSSL
internal import Glibc
import Synchronization

/// A key that whoever started us left in an open file descriptor, as a shell does with `9< key` and a supervisor with a pipe.
///
/// Read once, to its end, and closed, so that no program that we start can inherit it; afterwards the bytes are remembered.
package enum InheritedKey {
    private static let read = Mutex<[Int32: KeyBytes]>([:])

    /// - Parameter limit: In bytes; more is refused.
    package static func bytes(_ descriptor: Int32, limit: Int) throws(PrivateFileError) -> KeyBytes {
        let known = read.withLock { $0[descriptor] }
        if let known { return known }
        guard fcntl(descriptor, F_GETFD) >= 0 else { throw .missing }
        defer { _ = close(descriptor) }
        var room = [UInt8](repeating: 0, count: limit + 1)
        defer { unsafe room.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) } }
        var done = 0
        while done < room.count {
            let got = unsafe room.withUnsafeMutableBytes { room in
                unsafe Glibc.read(descriptor, room.baseAddress.map { unsafe $0 + done }, room.count - done)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .last("read") }
            if got == 0 { break }
            done += got
        }
        guard done <= limit else { throw .tooLarge(byteCount: done) }
        let bytes: KeyBytes
        do { bytes = try KeyBytes(copying: room.span.extracting(first: done)) } catch {
            throw .system(call: "mmap", reason: "out of memory")
        }
        read.withLock { $0[descriptor] = bytes }
        return bytes
    }
}
