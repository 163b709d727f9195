internal import CRecordScan
internal import Dispatch
internal import PageMemory

/// Rows of one partition, waiting to be sorted: each a key, a time and a finished line.
@safe package final class RowRun: @unchecked Sendable {  // one owner at a time
    let raw: OpaquePointer

    package init() { unsafe raw = cogni_run_new() }
    deinit { unsafe cogni_run_free(raw) }

    package var count: Int { unsafe Int(cogni_run_count(raw)) }
    /// Memory in use.
    package var byteCount: Int { unsafe Int(cogni_run_bytes(raw)) }

    /// - Parameters:
    ///   - key: what rows are sorted and told apart by, as bytes; see ``SortKey``.
    ///   - time: Unix seconds, 0 where rows have none.
    ///   - line: with its line feed.
    package func append(key: [UInt8], time: Int64, line: [UInt8]) {
        unsafe cogni_run_append(raw, key, UInt32(key.count), time, line, UInt32(line.count))
    }

    /// Forgets the rows after the first `count`. Only before sorting.
    package func truncate(_ count: Int) { unsafe cogni_run_truncate(raw, UInt64(count)) }

    package func sort() { unsafe cogni_run_sort(raw) }

    /// Writes the rows, sorted, to a file at its current position.
    ///
    /// - Returns: bytes written and their checksum, or the error number of the failed write.
    package func write(to descriptor: Int32) -> Result<(bytes: Int, checksum: UInt64), RunFileError> {
        var checksum: UInt64 = 0
        let written = unsafe cogni_run_write(raw, descriptor, &checksum)
        return written < 0 ? .failure(RunFileError(number: Int32(-written))) : .success((Int(written), checksum))
    }

    /// The checksum of rows that were written to a file, as ``write(to:)`` gave it if they are still the same.
    package static func checksum(
        of descriptor: Int32,
        offset: Int,
        length: Int
    ) -> Result<UInt64, RunFileError> {
        var checksum: UInt64 = 0
        let status = unsafe cogni_run_file_checksum(descriptor, Int64(offset), Int64(length), &checksum)
        return status < 0 ? .failure(RunFileError(number: -status)) : .success(checksum)
    }
}

/// Settings of the allocator that pages and rows live in.
package enum KernelMemory {
    /// Makes large blocks go back to the system when they are freed. Call once, before the first thread is started.
    package static func returnsToSystem() { cogni_return_freed_memory() }

    /// Has another thread take memory for the rows of a page of so many bytes: whoever encodes them would else wait for each piece
    /// of it. Rows take a third of their page, or less.
    package static func expect(pageOf bytes: Int) {
        guard bytes >= largePage else { return }
        DispatchQueue.global().async { cogni_stock_rows(bytes / 3) }
    }

    private static let largePage = 4 << 20

    /// Gives back, on another thread, what pages and rows have left for the next ones. A process that ends soon does not have to
    /// take down its memory alone then, while whoever started it waits.
    package static func drop() {
        DispatchQueue.global().async {
            PageStock.drop()
            cogni_drop_spare_memory()
        }
    }
}

/// A run file could not be written or read. `number` is the system's error number; EBADMSG: it is damaged.
package struct RunFileError: Error, Sendable, Equatable {
    package var number: Int32
    package init(number: Int32) { self.number = number }
}

/// How a row's primary key becomes bytes that sort: for each column 1 for null, or 2, the text and 0.
///
/// Text is the canonical form of the archive (JSON escapes included), so that it holds no byte below 0x20.
package enum SortKey {
    package static func append(_ text: [UInt8]?, to key: inout [UInt8]) {
        guard let text else {
            key.append(1)
            return
        }
        key.append(2)
        key.append(contentsOf: text)
        key.append(0)
    }
}
