import ArgumentParser
import Connector
import Console
import CurlTransport
import Disk
import Extract
import KeyRing
import Load
import Model
import PipelineFile
import Runner
import Sanitizing
import Sealing

/// A pipeline file, read, and what a command needs to work with it.
struct Workspace {
    let pipeline: Pipeline
    let output: String
    /// As it was typed; `nil` where the pipeline file says where the output is.
    private let typedOutput: String?

    /// Reads the file and prints what is wrong with it.
    init(_ path: String, output: String? = nil) throws {
        let reading = try Workspace.read(path)
        if !reading.diagnostics.isEmpty { Terminal.error(reading.diagnostics.text) }
        guard let pipeline = reading.pipeline else { throw Ending(reading.diagnostics, in: path) }
        // Below it stands the pipeline's name, and that would be a folder of the whole machine's.
        if output?.isEmpty == true {
            throw Fault(
                .badPlan,
                "--output is empty",
                mend: "name the folder above the pipeline's own, or leave it out"
            )
        }
        self.pipeline = pipeline
        typedOutput = output
        let folder = output ?? pipeline.load.directory
        self.output = folder.hasSuffix("/") ? folder + pipeline.name : folder + "/" + pipeline.name
        Terminal.hide(
            [pipeline.source.credential, pipeline.alerts.webhook, pipeline.alerts.webhookSecret].compactMap(\.self)
        )
    }

    static func read(_ path: String) throws(Fault) -> PipelineReader.Reading {
        let bytes = try contents(path)
        return PipelineReader.read(file: path, bytes: bytes, environment: Environment.all) { name in
            try? InputFile.contents(name, limit: 1 << 20)
        }
    }

    static func contents(_ path: String) throws(Fault) -> [UInt8] {
        try InputFile.contents(path, limit: 4 << 20)
    }

    var root: OutputRoot { OutputRoot(output) }

    /// A command about this pipeline and this output, for the user to type.
    func command(_ name: String) -> TypedCommand {
        TypedCommand(name, pipeline.file).with("--output", typedOutput)
    }

    /// The pipeline's tokens belong to its organization, or to itself where none is named.
    var tenant: String {
        let organization = pipeline.source.options["organization"] ?? ""
        return organization.isEmpty ? pipeline.name : organization
    }

    /// What is published may hold no secret of ours; nor one of others, unless the pipeline says that secrets stay.
    var gate: LeakGate { Terminal.sanitizer.gate(patterns: pipeline.transform.maskSecrets) }

    var sanitizer: Sanitizer { Terminal.sanitizer }

    /// The key that fields are sealed with; `nil` when the pipeline seals none.
    func key() throws(Fault) -> DataKey? { try ring()?.activeKey(for: tenant) }

    /// The ring that the pipeline's fields are sealed with; `nil` when it seals none.
    func ring() throws(Fault) -> KeyRing? {
        guard let encryption = pipeline.transform.encryption else { return nil }
        guard let path = encryption.keyRing, !path.isEmpty else {
            throw Fault(
                .cannotSeal,
                "fields are to be encrypted, and no key ring is named",
                mend: "set \(encryption.keyRingName) to a key ring file; `cogni keys create` makes one"
            )
        }
        let ring = try KeyRing.load(path, environment: Environment.all)
        for warning in ring.warnings { Terminal.error("warning: \(warning)") }
        return ring
    }

    /// The way to the API: live, or from recorded replies.
    func transport(replay: String?) throws(Fault) -> any Transport {
        let width = pipeline.source.concurrency
        if let replay {
            return GatedTransport(try ReplayTransport(directory: replay, connector: pipeline.connector), width: width)
        }
        guard let credential = pipeline.source.credential, !credential.isEmpty else {
            let missing = pipeline.source.missingCredential
            throw Fault(.denied, missing.what, mend: "\(missing.mend), or run recorded replies with --replay DIR")
        }
        let engine: CurlEngine
        do throws(CurlError) { engine = try CurlEngine() } catch {
            throw Fault(.unreachable, "libcurl could not be started: \(error)", mend: "install libcurl 7.85 or newer")
        }
        let live = try LiveTransport(
            connector: pipeline.connector,
            baseURL: pipeline.source.baseURL,
            credential: credential,
            options: pipeline.source.options,
            limits: CurlLimits(
                bodyBytes: pipeline.source.maxPageSize.bytes,
                connect: .seconds(pipeline.source.timeouts.connect.seconds),
                total: .seconds(pipeline.source.timeouts.page.seconds),
                stall: .seconds(pipeline.source.timeouts.stall.seconds)
            ),
            allowPlainHTTP: pipeline.source.allowPlainHTTP,
            engine: engine
        )
        // Outermost the pacing: a path that has to wait must not hold a place that others could use.
        return PacedTransport(
            GatedTransport(live, width: width, clock: SystemClock()),
            requestsPerMinute: pipeline.source.requestsPerMinute,
            perPath: pipeline.connector.pacing.perPath
        )
    }

    func doors(
        transport: any Transport,
        ring: KeyRing?,
        progress: @escaping @Sendable (ProgressEvent) -> Void = { _ in }
    ) throws(Fault) -> RunDoors {
        let sanitizer = sanitizer
        let fetcher = PageFetcher(
            transport: transport,
            connector: pipeline.connector,
            credentialName: pipeline.source.credentialName,
            policy: RetryPolicy(
                budget: .seconds(pipeline.source.retryBudget.seconds),
                maxDelay: .seconds(pipeline.source.retryMaxDelay.seconds)
            ),
            sanitize: { sanitizer.clean($0) }
        )
        var doors = RunDoors(
            fetcher: fetcher,
            key: try ring?.activeKey(for: tenant),
            tenant: tenant,
            maskSecrets: { sanitizer.maskField($0) },
            progress: progress,
            milliseconds: { Console.milliseconds }
        )
        doors.stopCode = { Interruption.code }
        doors.ring = ring
        doors.gate = gate
        doors.clean = { sanitizer.clean($0) }
        return doors
    }

    /// `--now`, else the fixture's own time, else the clock.
    static func now(_ text: String?, replay: String?) throws -> Instant {
        if let text { return try instant(text, "--now") }
        if let replay, let recorded = try ReplayTransport.recordedNow(directory: replay) { return recorded }
        return Instant(seconds: Console.wallSeconds)
    }

    static func instant(_ text: String, _ option: String) throws -> Instant {
        guard let instant = Instant(text: text) else {
            throw Fault(
                .badPlan,
                "\(option) \(text) is not a time",
                mend: "write it as 2025-11-01 or 2025-11-01T00:00:00Z (UTC), or as Unix seconds"
            )
        }
        return instant
    }

    /// The time between `--since` and `--until` holds something.
    static func refuseEmptySpan(_ options: RunOptions) throws(Fault) {
        guard let since = options.since else { return }
        if since > options.now {
            throw Fault(
                .badPlan,
                "--since \(since.text) is after now, which is \(options.now.text)",
                mend: "name an earlier time"
            )
        }
        guard let until = options.until, since >= until else { return }
        throw Fault(.badPlan, "--since \(since.text) is not before --until \(until.text)", mend: "swap them")
    }

    /// Names given with `--streams`, checked.
    func streams(_ text: String?, _ option: String = "--streams") throws -> Set<String>? {
        guard let text else { return nil }
        let listing = "`\(TypedCommand("discover", pipeline.file))` lists them"
        let names = text.split(separator: ",").map { String($0.trimmingPrefix(" ")) }.filter { !$0.isEmpty }
        guard !names.isEmpty else {
            throw Fault(
                .badPlan,
                "\(option) names no stream",
                mend: "name some, as a,b, or leave \(option) out; \(listing)"
            )
        }
        let known = pipeline.streams.map(\.spec.name)
        for name in names where !known.contains(name) {
            let hint = Spelling.question(for: name, in: known) ?? listing
            throw Fault(.badPlan, "no stream of the pipeline is called `\(name)`", mend: hint)
        }
        return Set(names)
    }
}
