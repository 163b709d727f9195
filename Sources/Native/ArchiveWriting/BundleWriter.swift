internal import CArchive
internal import Disk
internal import Glibc

/// Writes many files into one archive: `.tar.zst` or `.zip`.
///
/// The bytes depend on names and contents only: no times (0), owner 0, mode 0644, entries in the order of their names'
/// bytes, no folders. A bundle that is not closed is not a valid archive.
@safe package final class BundleWriter {
    package enum Format: String, Sendable, CaseIterable { case tarZstd = "tar.zst", zip }

    /// Why no bundle can be made; `nil` when libarchive is there. The first look opens it.
    package static let refusal: String? = unsafe cogni_archive_open().map {
        unsafe "libarchive could not be opened: \(String(cString: $0))"
    }

    private let handle: OpaquePointer
    private let file: DiskFile
    private let path: String
    private let format: Format
    private var lastName: String?

    /// A new file at `path`, which must not exist.
    package init(_ path: String, format: Format) throws(ArchiveError) {
        self.path = path
        self.format = format
        if let reason = BundleWriter.refusal { throw .library(call: "dlopen", path: path, reason: reason) }
        file = try onDisk { () throws(DiskError) in try DiskFile.create(path) }
        guard let handle = unsafe cogni_archive_new() else { fatalError("libarchive: out of memory") }
        unsafe self.handle = handle  // from here on `deinit` frees it, also when the next lines throw
        switch format {
        case .tarZstd:
            try unsafe check(cogni_archive_write_pax(handle), "archive_write_set_format_pax_restricted")
            try unsafe check(cogni_archive_add_zstd(handle), "archive_write_add_filter_zstd")
            try unsafe check(
                cogni_archive_set_option(handle, "zstd", "compression-level", "3"),
                "archive_write_set_filter_option"
            )
        case .zip:
            try unsafe check(cogni_archive_write_zip(handle), "archive_write_set_format_zip")
        }
        let status = file.withDescriptor { unsafe cogni_archive_open_descriptor(handle, $0) }
        try check(status, "archive_write_open_fd")
    }

    deinit {
        unsafe cogni_archive_fail(handle)  // no effect once closed; otherwise: do not finish it for us
        unsafe cogni_archive_free(handle)
    }

    /// Adds bytes under a name.
    package func add(_ name: String, bytes: [UInt8]) throws(ArchiveError) {
        try begin(name, size: bytes.count, isCompressed: false)
        try write(bytes)
        try unsafe check(cogni_archive_finish_entry(handle), "archive_write_finish_entry")
    }

    /// Adds a file's bytes under a name.
    package func add(_ name: String, file path: String) throws(ArchiveError) {
        let source = try onDisk { () throws(DiskError) in try DiskFile.read(path) }
        let size = try onDisk { () throws(DiskError) in try source.status().size }
        try begin(name, size: size, isCompressed: Codec(path: path) != .none)
        let buffer = Scratch(256 * 1024)
        var copied = 0
        while true {
            let count = try onDisk { () throws(DiskError) in try unsafe source.read(into: buffer.all) }
            if count == 0 { break }
            copied += count
            guard copied <= size else { break }
            try unsafe write(buffer.bytes(0..<count))
        }
        guard copied == size else { throw .damaged(path: path, reason: "changed while it was bundled") }
        try unsafe check(cogni_archive_finish_entry(handle), "archive_write_finish_entry")
    }

    /// Writes the archive's end, syncs and closes the file.
    package func finish() throws(ArchiveError) {
        try unsafe check(cogni_archive_close(handle), "archive_write_close")
        try onDisk { () throws(DiskError) in
            try file.sync()
            try file.close()
        }
    }

    private func begin(_ name: String, size: Int, isCompressed: Bool) throws(ArchiveError) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        precondition(
            name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
                && !parts.contains { $0.isEmpty || $0 == "." || $0 == ".." },
            "not a name for a bundle's entry"
        )
        if let lastName { precondition(lastName.utf8.lexicographicallyPrecedes(name.utf8), "entries come sorted") }
        lastName = name
        if format == .zip {
            // Packing what is packed already costs time and makes the bytes depend on zlib's version for nothing.
            let status =
                unsafe isCompressed
                ? cogni_archive_store(handle) : cogni_archive_deflate(handle)
            try check(status, "archive_write_zip_set_compression")
        }
        guard let entry = unsafe cogni_archive_file(name, Int64(size)) else { fatalError("libarchive: out of memory") }
        defer { unsafe cogni_archive_file_free(entry) }
        try unsafe check(cogni_archive_header(handle, entry), "archive_write_header")
    }

    private func write(_ bytes: [UInt8]) throws(ArchiveError) {
        let written = unsafe bytes.withUnsafeBytes { unsafe cogni_archive_data(handle, $0.baseAddress, $0.count) }
        try checkWritten(written, bytes.count)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        try unsafe checkWritten(cogni_archive_data(handle, bytes.baseAddress, bytes.count), bytes.count)
    }

    private func checkWritten(_ written: Int, _ expected: Int) throws(ArchiveError) {
        if written != expected { throw failure("archive_write_data") }
    }

    private func check(_ status: CInt, _ call: String) throws(ArchiveError) {
        if status != ARCHIVE_OK { throw failure(call) }
    }

    private func failure(_ call: String) -> ArchiveError {
        let number = unsafe cogni_archive_number(handle)
        // The number of the write that failed; libarchive's own are negative or borrowed from these two.
        if number > 0, number != EINVAL, number != EILSEQ { return .disk(DiskError(call, path, number: number)) }
        let reason = unsafe cogni_archive_words(handle).map { unsafe String(cString: $0) } ?? "no reason given"
        return .library(call: call, path: path, reason: reason)
    }
}
