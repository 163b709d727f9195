internal import CDeflate
internal import Disk
internal import StageClock

/// Turns content into a file's bytes. The same content gives the same bytes, in whatever pieces it comes.
protocol Encoder: AnyObject {
    /// Whether it is of use to know what the content repeats.
    var takesRepeats: Bool { get }
    /// - Parameter repeats: of the content: see ``ArchiveFileWriter/write(_:count:repeats:)``; empty when nothing is known.
    func write(_ content: UnsafeRawBufferPointer, repeats: [UInt32], to sink: FileSink) throws(ArchiveError)
    /// Ends the file and makes the encoder ready for the next.
    func finish(to sink: FileSink) throws(ArchiveError)
    /// Forgets what has been written of a file that will not be finished.
    func reset()
}

extension Encoder {
    var takesRepeats: Bool { false }
}

/// Where an encoder's output goes: a file, counted and hashed as it passes.
final class FileSink {
    let file: DiskFile
    private let hasher: SHA256?
    private(set) var byteCount = 0
    /// Of the task that opened the file; a writer's own thread has no task.
    private let clock = StageClock.current
    private var hashedNanoseconds = 0

    /// Without `hasher` the caller hashes the same bytes elsewhere.
    init(file: DiskFile, hasher: SHA256?) {
        self.file = file
        self.hasher = hasher
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        guard unsafe !bytes.isEmpty else { return }
        if let hasher { hashedNanoseconds += hashing(bytes.count) { unsafe hasher.update(bytes) } }
        try onDisk { () throws(DiskError) in try unsafe file.write(bytes) }
        byteCount += bytes.count
    }

    /// Counts the time of `body` as hashing. Returns it.
    @discardableResult func hashing(_ count: Int, _ body: () -> Void) -> Int {
        guard let clock else {
            body()
            return 0
        }
        let begun = StageClock.now
        body()
        let spent = StageClock.now - begun
        clock.add(.hash, nanoseconds: spent, bytes: count)
        return spent
    }

    /// Counts the time of `body` as compression, without the hashing that it leads to.
    func compressing(_ count: Int, _ body: () throws(ArchiveError) -> Void) throws(ArchiveError) {
        guard let clock else { return try body() }
        let (begun, hashed) = (StageClock.now, hashedNanoseconds)
        defer {
            let spent = StageClock.now - begun - (hashedNanoseconds - hashed)
            clock.add(.compress, nanoseconds: spent, bytes: count)
        }
        try body()
    }
}

/// Content as it is, small writes gathered.
final class PlainEncoder: Encoder {
    private let pending = Scratch(256 * 1024)
    private var count = 0

    func write(_ content: UnsafeRawBufferPointer, repeats _: [UInt32], to sink: FileSink) throws(ArchiveError) {
        if count + content.count > pending.count {
            try unsafe sink.take(pending.bytes(0..<count))
            count = 0
        }
        if content.count > pending.count { return try unsafe sink.take(content) }
        unsafe pending.copy(content, at: count)
        count += content.count
    }

    func finish(to sink: FileSink) throws(ArchiveError) {
        try unsafe sink.take(pending.bytes(0..<count))
        count = 0
    }

    func reset() { count = 0 }
}

/// gzip members of exactly 1 MiB of content each, the last one shorter: what `gzip -d` and every reader join.
///
/// libdeflate compresses whole buffers only, at twice the speed of zlib or more. It writes no name, no time (0) and
/// 255, "unknown", as operating system, so that the bytes speak of nothing but the content.
///
/// Without a level its fastest, 1: what lines that are sorted repeat stands close by, and looking longer finds little. Level 5
/// takes 1.6 times as long, which two cores feel in all of a run (1.4 times), for lists smaller by a fiftieth and reports by an eighth.
@safe final class GzipEncoder: Encoder {
    static let memberSize = 1 << 20

    private let compressor: OpaquePointer
    private let pending = Scratch(GzipEncoder.memberSize)
    private let output: Scratch
    private var count = 0
    private var hasMembers = false

    init(level: CInt?) {
        guard let compressor = unsafe libdeflate_alloc_compressor(level ?? 1) else {
            fatalError("libdeflate: out of memory")
        }
        unsafe self.compressor = compressor
        output = unsafe Scratch(libdeflate_gzip_compress_bound(compressor, GzipEncoder.memberSize))
    }

    deinit { unsafe libdeflate_free_compressor(compressor) }

    func write(_ content: UnsafeRawBufferPointer, repeats _: [UInt32], to sink: FileSink) throws(ArchiveError) {
        var rest = unsafe content
        while unsafe !rest.isEmpty {
            if count == 0, rest.count >= GzipEncoder.memberSize {
                try unsafe member(UnsafeRawBufferPointer(rebasing: rest.prefix(GzipEncoder.memberSize)), to: sink)
                unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(GzipEncoder.memberSize))
                continue
            }
            let part = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(GzipEncoder.memberSize - count))
            unsafe pending.copy(part, at: count)
            count += part.count
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
            if count == GzipEncoder.memberSize { try flush(to: sink) }
        }
    }

    func finish(to sink: FileSink) throws(ArchiveError) {
        // An empty file is not a gzip file; empty content is one empty member.
        if count > 0 || !hasMembers { try flush(to: sink) }
        reset()
    }

    func reset() {
        count = 0
        hasMembers = false
    }

    private func flush(to sink: FileSink) throws(ArchiveError) {
        try unsafe member(pending.bytes(0..<count), to: sink)
        count = 0
    }

    private func member(_ content: UnsafeRawBufferPointer, to sink: FileSink) throws(ArchiveError) {
        let room = unsafe output.all
        let length = unsafe libdeflate_gzip_compress(
            compressor,
            content.baseAddress,
            content.count,
            room.baseAddress,
            room.count
        )
        guard length > 0 else {
            throw .library(call: "libdeflate_gzip_compress", path: sink.file.path, reason: "the output did not fit")
        }
        hasMembers = true
        try unsafe sink.take(output.bytes(0..<length))
    }
}
