import Connector
import Model
import PageMemory
import RecordScan
import Testing

@testable import Transform

/// Times of the API and what stands in the archive for them.
@Suite struct TimestampTests {
    private static let events = StreamSpec(
        name: "events",
        mode: .log,
        path: "/events",
        pagination: Pagination(style: .none, cursorParameter: "", cursorPath: []),
        rows: .init(members: ["data"]),
        primaryKey: ["at"],
        timeColumn: "at",
        columns: [Column("at", path: ["at"], kind: .timestamp, nullable: false)]
    )

    private func archived(_ value: String) throws -> String {
        let encoder = try encoder(Self.events)
        _ = try encoder.take(page("{\"data\":[{\"at\":\(value)}]}"), parameters: [:], requestID: nil)
        let run = try #require(encoder.takePartition(20393))
        let merge = RunMerge(keep: .latest)
        merge.add(run)
        let row = try #require(try merge.next())
        let reader = ArchiveLine(format: .ndjson, columns: encoder.columns, primaryKey: ["at"], timeColumn: "at")
        let cells = try #require(reader.cells(row.line))
        #expect(reader.time(cells) == row.time)
        return String(decoding: cells[0], as: UTF8.self)
    }

    @Test(arguments: [
        ("1761955220", "2025-11-01T00:00:20Z"), ("\"1761955220\"", "2025-11-01T00:00:20Z"),
        ("1761955220.750", "2025-11-01T00:00:20.75Z"), ("\"2025-11-01T00:00:20Z\"", "2025-11-01T00:00:20Z"),
        ("\"2025-11-01T00:00:20.750Z\"", "2025-11-01T00:00:20.75Z"),
        ("\"2025-11-01t00:00:20.000z\"", "2025-11-01T00:00:20Z"),
        ("\"2025-11-01T02:00:20.123456789+02:00\"", "2025-11-01T00:00:20.123456789Z"),
        ("\"2025-11-01T02:00:20.5\\u002B02:00\"", "2025-11-01T00:00:20.5Z"),
        ("\"2025-11-01 00:00:20-00:00\"", "2025-11-01T00:00:20Z"), ("\"2025-11-01\"", "2025-11-01T00:00:00Z"),
        ("\"2025-11-01T12:59:60Z\"", "2025-11-01T13:00:00Z"),
    ])
    func timesOfEveryFormAreWholeSecondsAndWhatTheAPISaysBeyond(value: String, text: String) throws {
        #expect(try archived(value) == "\"\(text)\"")
    }

    @Test(arguments: [
        "\"2025-11-01T00:00:20+99:00\"", "\"2025-11-01T00:00:20+02:60\"", "\"2025-11-01T00:00:20+24:00\"",
        "\"2025-11-01T00:00:61Z\"", "\"2025-11-01T00:00:20.Z\"", "\"2025-11-01T00:00:20.5\"", "\"2025-11-01T00:00:20\"",
        "\"2025-11-31T00:00:20Z\"", "\"9999-12-31T23:59:59-01:00\"", "\"soon\"", "true",
    ])
    func whatIsNoTimeIsRefused(value: String) throws {
        let failure = #expect(throws: PageFailure.self) { try archived(value) }
        guard case .refused(let fault) = failure else { return #expect(Bool(false), "\(String(describing: failure))") }
        #expect(fault.what.hasPrefix("column at wants a time, in Unix seconds or as RFC 3339 text, and got"))
    }
}
