import ArchiveWriting
import Disk
import Foundation
import Load
import Model

/// A fresh output root that is gone after the test.
func withRoot(_ body: (OutputRoot) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "cogni-load-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let root = OutputRoot(path + "/demo")
    try root.prepare()
    try body(root)
}

/// Rows of two streams: `costs` by day and `projects` as a snapshot.
struct Sample: Sendable {
    /// Day → amounts.
    var costs: [String: [String]] = ["2025-11-03": ["0.06", "1.10"], "2025-11-04": ["9007199254740993.5"]]
    var projects = ["proj_1", "proj_2"]
    var format = RowFormat.ndjson
    var codec = Codec.gzip
    var level: Int?
    var bundle: BundleWriter.Format?

    static let costColumns: [Column] = [
        Column("start_time", path: ["start_time"], origin: .bucket, kind: .timestamp, nullable: false),
        Column("project_id", path: ["project_id"], kind: .string, nullable: true),
        Column("amount_value", path: ["amount", "value"], kind: .decimal, nullable: false),
        Column("count", path: ["count"], kind: .integer, nullable: true),
        Column("extra", path: [], origin: .ours, kind: .json, nullable: true),
    ]
    static let projectColumns: [Column] = [
        Column("id", path: ["id"], kind: .string, nullable: false),
        Column("name", path: ["name"], kind: .string, nullable: false),
        Column("is_default", path: ["is_default"], kind: .boolean, nullable: false),
    ]

    private func costLines(_ day: String, _ amounts: [String]) -> String {
        let rows = amounts.enumerated().map { index, amount in
            format == .csv
                ? "\(day)T00:00:00Z,\(index == 0 ? "" : "\"a,\"\"b\"\"\nc\(index)\""),\(amount),\(index),"
                : #"{"start_time":"\#(day)T00:00:00Z","project_id":\#(index == 0 ? "null" : "\"p\(index)\""),"#
                    + #""amount_value":"\#(amount)","count":\#(index),"extra":{"n":[1,null]}}"#
        }
        let header = format == .csv ? ["start_time,project_id,amount_value,count,extra"] : []
        return (header + rows).map { $0 + "\n" }.joined()
    }

    private var projectLines: String {
        let rows = projects.map {
            format == .csv ? "\($0),\"\",true" : #"{"id":"\#($0)","name":"","is_default":true}"#
        }
        return ((format == .csv ? ["id,name,is_default"] : []) + rows).map { $0 + "\n" }.joined()
    }

    /// Writes the files to staging and collects the publication, every file anew.
    func publication(_ root: OutputRoot) throws -> Publication {
        let writer = ArchiveFileWriter(codec: codec, level: level)
        var publication = Publication(pipeline: "demo", format: format, codec: codec)
        publication.bundle = bundle
        publication.rereadsNewFiles = true
        var serial = 0
        func stage(_ stream: String, _ day: String, _ text: String, rows: Int) throws -> StagedFile {
            serial += 1
            let path = root.stagingPath + "/\(serial)"
            try onDisk { () throws(DiskError) in if try Disk.exists(path) { try Disk.remove(path) } }
            let facts = try inArchive { () throws(ArchiveError) in
                try writer.open(path)
                try writer.write(Array(text.utf8).span)
                return try writer.finish(sync: false)
            }
            let time = day.isEmpty ? nil : Instant(text: day)
            return StagedFile(
                path: path,
                stream: stream,
                partition: day,
                rows: rows,
                facts: facts,
                min: time,
                max: time,
                // Of projects nothing is ever null, and nothing is a number.
                totals: stream == "projects" ? ColumnTotals() : nil
            )
        }
        var staged: [StagedFile] = []
        for (day, amounts) in costs.sorted(by: { $0.key < $1.key }) {
            staged.append(try stage("costs", day, costLines(day, amounts), rows: amounts.count))
        }
        let days = costs.keys.sorted()
        publication.add(
            Manifest.Stream(
                name: "costs",
                mode: "report",
                primaryKey: ["start_time", "project_id"],
                bucketWidth: "1d",
                groupBy: ["project_id"],
                coverage: span(days),
                watermark: days.last.flatMap { Instant(text: $0) }
            ),
            columns: Sample.costColumns,
            staged: staged
        )
        var snapshots: [StagedFile] = []
        if !projects.isEmpty { snapshots = [try stage("projects", "", projectLines, rows: projects.count)] }
        publication.add(
            Manifest.Stream(name: "projects", mode: "snapshot", primaryKey: ["id"]),
            columns: Sample.projectColumns,
            staged: snapshots
        )
        return publication
    }

    private func span(_ days: [String]) -> Manifest.Coverage? {
        guard let from = days.first.flatMap({ Instant(text: $0) }), let to = days.last.flatMap({ Instant(text: $0) })
        else { return nil }
        return Manifest.Coverage(from: from, to: to + 86_400)
    }

    @discardableResult
    func publish(_ root: OutputRoot) throws -> PublishOutcome { try root.publish(try publication(root)) }
}

/// Everything a reader can see: path → digest, of the whole root but staging and lock.
func golden(_ root: OutputRoot) throws -> [String: String] {
    var seen: [String: String] = [:]
    for entry in try Disk.walk(root.path) where !entry.path.hasPrefix(".staging") && entry.path != ".lock" {
        switch entry.status.kind {
        case .file: seen[entry.path] = SHA256.hex(of: try Disk.contents(root.path + "/" + entry.path))
        case .link: seen[entry.path] = "→ " + (try Disk.readLink(root.path + "/" + entry.path))
        default: seen[entry.path] = "folder"
        }
    }
    return seen
}

/// The exit status and standard output of a program; `nil` when this machine hasn't got it.
func run(_ program: String, _ arguments: [String], in folder: String) throws -> (status: Int32, output: String)? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 127
        ? nil : (process.terminationStatus, String(decoding: data, as: UTF8.self))
}
