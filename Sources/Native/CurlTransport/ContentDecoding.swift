import CDeflate
import PageMemory

/// Unpacks a body that came whole. libcurl could do it on the way, but it takes a gzip stream that ends before its checksum
/// for a whole one; libdeflate unpacks only what is there to its last byte and matches its checksum and length.
///
/// Coding names: RFC 9110, 8.4.1. `deflate` is zlib's format, and from some servers the bare one.
@safe final class ContentDecoder {
    enum Failure: Error, Equatable {
        /// Cut, damaged, or followed by what is not its own.
        case damaged
        /// The content is over the limit.
        case tooLarge
        /// No coding that was offered.
        case unknown
    }

    /// What requests offer.
    static let offered = "gzip, deflate"

    private let decompressor: OpaquePointer

    init() {
        guard let decompressor = unsafe libdeflate_alloc_decompressor() else { fatalError("libdeflate: out of memory") }
        unsafe self.decompressor = decompressor
    }

    deinit { unsafe libdeflate_free_decompressor(decompressor) }

    /// - Parameters:
    ///   - coding: `Content-Encoding`'s value; several codings one over the other are unknown to us.
    ///   - limit: bytes of content that may come of it.
    func decode(_ packed: PageBytes, coding: String, limit: Int) throws(Failure) -> PageBytes {
        let content = PageBytes(capacity: min(limit, ContentDecoder.hint(packed, coding)))
        switch coding.lowercased() {
        case "gzip", "x-gzip":
            var used = 0
            repeat {
                used += try unsafe part(packed, from: used, into: content, limit: limit, libdeflate_gzip_decompress_ex)
            } while used < packed.count
        case "deflate":
            do throws(Failure) {
                try unsafe whole(packed, into: content, limit: limit, libdeflate_zlib_decompress_ex)
            } catch {
                guard error == .damaged else { throw error }
                try unsafe whole(packed, into: content, limit: limit, libdeflate_deflate_decompress_ex)
            }
        default: throw .unknown
        }
        content.freeze()
        return content
    }

    private typealias Decompress = (
        OpaquePointer?, UnsafeRawPointer?, Int, UnsafeMutableRawPointer?, Int, UnsafeMutablePointer<Int>?,
        UnsafeMutablePointer<Int>?
    ) -> libdeflate_result

    /// gzip says its content's length in its last four bytes: what an honest server's one member needs, at once. Not more
    /// than so many bytes can unpack to, whatever they say: deflate makes at most 258 bytes of 2 bits.
    static func hint(_ packed: PageBytes, _ coding: String) -> Int {
        guard coding.lowercased().hasSuffix("gzip"), packed.count >= 18 else { return packed.count * 8 }
        return min(packed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }, packed.count * 1032)
    }

    private func whole(
        _ packed: PageBytes,
        into content: PageBytes,
        limit: Int,
        _ decompress: Decompress
    ) throws(Failure) {
        let read = try unsafe part(packed, from: 0, into: content, limit: limit, decompress)
        guard read == packed.count else { throw .damaged }
    }

    /// Unpacks what begins at `start`, and says how long it was.
    private func part(
        _ packed: PageBytes,
        from start: Int,
        into content: PageBytes,
        limit: Int,
        _ decompress: Decompress
    ) throws(Failure) -> Int {
        var room = max(content.room, 4096)
        while true {
            room = min(room, limit - content.count)
            var (read, written) = (0, 0)
            let status = unsafe packed.withBytes { all in
                unsafe content.fill(room) { free in
                    let status = unsafe decompress(
                        decompressor,
                        all.baseAddress.map { unsafe $0 + start },
                        all.count - start,
                        free.baseAddress,
                        room,
                        &read,
                        &written
                    )
                    return status == LIBDEFLATE_SUCCESS ? (written, status) : (0, status)
                }
            }
            switch status {
            case LIBDEFLATE_SUCCESS: return read
            // libdeflate can't go on where the room ended: it begins anew, with twice as much.
            case LIBDEFLATE_INSUFFICIENT_SPACE:
                if content.count + room >= limit { throw .tooLarge }
                room *= 2
            default: throw .damaged
            }
        }
    }
}
