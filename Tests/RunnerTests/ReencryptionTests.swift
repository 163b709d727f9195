import Connector
import Disk
import Extract
import Foundation
import KeyRing
import Load
import Model
import PipelineFile
import Reporting
import Sanitizing
import Synchronization
import Testing

@testable import Runner

private let connectorText = """
    connector: toy
    base_url: https://toy.example/v1
    auth: { header: Authorization, prefix: "Bearer ", variable: TOY_KEY }
    streams:
      - name: people
        mode: snapshot
        path: /people
        pagination: { style: cursor_after_last_id }
        rows: "data[]"
        primary_key: [id]
        columns:
          - { name: id, type: string, domain: person }
          - { name: name, type: string, nullable: true }
      - name: places
        mode: snapshot
        path: /places
        pagination: { style: cursor_after_last_id }
        rows: "data[]"
        primary_key: [id]
        columns:
          - { name: id, type: string }
    """

/// A published output with sealed ids, and a ring whose active key has changed since.
private struct Sealed {
    let folder = FileManager.default.temporaryDirectory.path + "/sealed-\(UUID().uuidString)"
    let pipeline: Pipeline
    let now: Instant
    var output: String { folder + "/toy" }
    var ringPath: String { folder + "/ring" }

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        now = try #require(Instant(text: "2025-11-03T00:00:00Z"))
        let text = """
            pipeline: toy
            source: { connector: ./toy.yaml, retry: { budget: 5s } }
            transform:
              - encrypt: { fields: ["domain:person"], key_ring: "\(folder)/ring" }
            load: { compression: none }

            """
        let reading = PipelineReader.read(file: "p.yaml", bytes: Array(text.utf8), environment: [:]) { _ in
            Array(connectorText.utf8)
        }
        pipeline = try reading.get()
        _ = try RingKeeper.create(ringPath, environment: [:], now: now)
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    func ring() throws -> KeyRing { try KeyRing.load(ringPath, environment: [:]) }

    func publish(_ rows: String, gate: LeakGate? = nil, mask: Bool = true) async throws -> Int32 {
        let page = "{\"data\":[\(rows)],\"has_more\":false}"
        let places = "{\"data\":[{\"id\":\"p1\"}],\"has_more\":false}"
        let transport = Scripted(["/people": [(200, page)], "/places": [(200, places)]])
        let sanitizer = Sanitizer()
        var doors = RunDoors(
            fetcher: PageFetcher(
                transport: transport,
                connector: pipeline.connector,
                policy: RetryPolicy(budget: .seconds(5), maxDelay: .seconds(1)),
                clock: Hasty(),
                random: { 0.5 }
            ),
            key: try ring().activeKey(),
            tenant: "toy",
            maskSecrets: { mask ? sanitizer.maskField($0) : nil },
            progress: { _ in },
            milliseconds: { 0 }
        )
        doors.ring = try ring()
        doors.gate = gate
        let options = RunOptions(now: now, output: output, runID: "run-\(UUID().uuidString.prefix(8))")
        return try await PipelineRun(pipeline: pipeline, options: options, doors: doors).run().exitCode
    }

    func reencrypt() throws -> Reencryption.Outcome {
        let ring = try ring()
        return try Reencryption(
            pipeline: pipeline,
            root: OutputRoot(output),
            ring: ring,
            target: try ring.activeKey(),
            runID: "again",
            now: now,
            gate: nil
        ).perform()
    }

    /// Every file below the generations, and where `current` points.
    func tree() throws -> [String: String] {
        var found: [String: String] = [:]
        let root = output + "/generations"
        for name in try FileManager.default.subpathsOfDirectory(atPath: root) {
            let data = FileManager.default.contents(atPath: root + "/" + name)
            found[name] = data.map { String(decoding: $0, as: UTF8.self) } ?? "folder"
        }
        found["current"] = try FileManager.default.destinationOfSymbolicLink(atPath: output + "/current")
        return found
    }
}

private let rows = "{\"id\":\"a\",\"name\":\"Ann\"},{\"id\":\"b\",\"name\":\"Bo\"},{\"id\":\"c\",\"name\":null}"

@Test func reencryptionCutOffAtAnyCallAndGivenAgainEndsAsIfUndisturbed() async throws {
    let first = try Sealed()
    defer { first.remove() }
    #expect(try await first.publish(rows) == 0)
    let master = try Data(contentsOf: URL(filePath: first.ringPath + ".master"))
    _ = try RingKeeper.rotate(first.ringPath, environment: [:], now: first.now)
    let ring = try Data(contentsOf: URL(filePath: first.ringPath))
    let before = first.folder + "/before"
    try FileManager.default.copyItem(atPath: first.output, toPath: before)

    let total = Mutex(0)
    let counting = DiskGate { _, _ throws(DiskError) in total.withLock { $0 += 1 } }
    let outcome = try counting.watching { try first.reencrypt() }
    #expect(outcome.isPublished && outcome.partitions == 1 && outcome.rows == 3 && outcome.kept == 1)
    let wanted = try first.tree()
    let calls = total.withLock { $0 }
    #expect(calls > 20)

    for last in 0..<calls {
        let other = try Sealed()
        defer { other.remove() }
        try ring.write(to: URL(filePath: other.ringPath))
        try master.write(to: URL(filePath: other.ringPath + ".master"))
        try FileManager.default.copyItem(atPath: before, toPath: other.output)
        let number = Mutex(0)
        let cut = DiskGate { call, path throws(DiskError) in
            let here = number.withLock { number in
                number += 1
                return number
            }
            if here > last { throw DiskError(call, path, text: "the process has ended") }
        }
        do { _ = try cut.watching { try other.reencrypt() } } catch {}
        _ = try other.reencrypt()
        let ended = try other.tree()
        #expect(ended.keys.sorted() == wanted.keys.sorted(), "cut after \(last)")
        #expect(ended == wanted, "cut after \(last)")
    }
}

@Test func aGenerationWithASecretOfOursIsHeldBackNamingStreamAndColumnOnly() async throws {
    let output = try Sealed()
    defer { output.remove() }
    #expect(try await output.publish(rows) == 0)
    let before = try output.tree()
    let secret = "correct-horse-battery-staple"
    let gate = Sanitizer(knownValues: [Secret(secret, name: "OUR_KEY")]).gate(patterns: true)
    let leaking = rows + ",{\"id\":\"d\",\"name\":\"key \(secret)\"}"
    #expect(try await output.publish(leaking, gate: gate) == 5)
    #expect(try output.tree() == before)
    let run = try #require(
        try FileManager.default.contentsOfDirectory(atPath: output.output + "/runs").map {
            String(
                decoding: FileManager.default.contents(atPath: output.output + "/runs/" + $0) ?? Data(),
                as: UTF8.self
            )
        }.first { $0.contains("leak gate") }
    )
    #expect(run.contains("column name of stream people holds what looks like a secret (OUR_KEY)"))
    #expect(!run.contains(secret))
    #expect(try FileManager.default.subpathsOfDirectory(atPath: output.output + "/.staging").isEmpty)
    // The same rows without the secret go through, as does the next run.
    #expect(try await output.publish(rows, gate: gate) == 0)
}

@Test func aSecretThatNoStepMaskedIsFoundByItsShape() async throws {
    let output = try Sealed()
    defer { output.remove() }
    let key = "sk-" + "admin-abcdefghijklmnopqrstuvwxyz0123456789"
    let leaking = rows + ",{\"id\":\"d\",\"name\":\"key \(key)\"}"
    let gate = Sanitizer().gate(patterns: true)
    #expect(try await output.publish(leaking, gate: gate, mask: false) == 5)
    #expect(try await output.publish(leaking, gate: gate) == 0)
}
