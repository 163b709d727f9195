import ArgumentParser
import Connector
import Console
import Disk
import Extract
import KeyRing
import Ledger
import Load
import Model
import PageMemory
import PipelineFile
import Runner
import Sanitizing
import Sealing

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Is everything in place for a run? One line for each thing looked at.",
        discussion: """
            Examples:
              cogni check pipelines/openai-admin.yaml
              cogni check pipelines/openai-admin.yaml --offline
              cogni check pipelines/openai-admin.yaml --json

            All checks are made, whatever the first ones find. The last one sends a single small request. Ends with 0 when
            nothing failed, else with the exit code that a run would end with.
            """
    )

    @OptionGroup var place: State.Place
    @Flag(help: "Send no request.") var offline = false
    @Option(
        help: ArgumentHelp("Answer from recorded replies instead of the network.", valueName: "dir"),
        completion: .directory
    )
    var replay: String?
    @Flag(help: "Print the checks as JSON on stdout.") var json = false

    func run() async throws {
        let workspace = try place.workspace()
        let list = Checklist(workspace: workspace, isReplay: replay != nil)
        var findings = [list.file, list.enabled, list.credential] + list.keyRing + [list.output, list.space]
        findings += [list.lock, list.state, list.chain, list.clock]
        if !offline { findings.append(await request(workspace)) }
        let failed = findings.compactMap { $0.fault }
        if json {
            Terminal.out([
                "pipeline": .string(workspace.pipeline.name), "ok": .bool(failed.isEmpty),
                "checks": .array(findings.map(\.json)),
            ])
        } else {
            for finding in findings { Terminal.out(finding.text) }
            Terminal.out(
                failed.isEmpty
                    ? "ready: cogni run \(workspace.pipeline.file)"
                    : "\(failed.count) of \(findings.count) checks failed"
            )
        }
        if let worst = failed.max(by: { $0.code.gravity < $1.code.gravity }) { throw ExitCode(worst.code.exitCode) }
    }

    /// One small request: the first list of the pipeline, one row of it.
    private func request(_ workspace: Workspace) async -> Checklist.Finding {
        let name = "API"
        let specs = workspace.pipeline.streams.map(\.spec) + workspace.pipeline.connector.streams
        let spec =
            specs.first { $0.parents.isEmpty && $0.window == nil && $0.mode == .snapshot }
            ?? specs.first { $0.parents.isEmpty }
        guard let spec, let plan = workspace.pipeline.plan(for: spec.name) else {
            return Checklist.Finding(name: name, detail: "no stream can be asked for by itself")
        }
        do throws(Fault) {
            let transport = try workspace.transport(replay: replay)
            let sanitizer = workspace.sanitizer
            let fetcher = PageFetcher(
                transport: transport,
                connector: workspace.pipeline.connector,
                credentialName: workspace.pipeline.source.credentialName,
                policy: RetryPolicy(budget: .seconds(15), maxDelay: .seconds(5), maxAttempts: 3),
                sanitize: { sanitizer.clean($0) }
            )
            let now = try recordedNow() ?? Output.now
            let options = RunOptions(now: now, output: workspace.output, runID: "check")
            var builder = RequestBuilder(plan: plan, pageLimit: 1)
            builder.groupBy = plan.groupBy
            let slice = Slice(walk: 0, parameters: [:], window: options.window(of: plan, after: nil))
            let request = try builder.request(slice, CursorWalk(spec.pagination))
            let began = Console.milliseconds
            do throws(FetchFailure) { _ = try await fetcher.fetch(request, scope: spec.scope) } catch {
                throw error.fault
            }
            let took = Console.milliseconds - began
            let way = replay.map { "recorded in \($0)" } ?? workspace.pipeline.source.baseURL
            return Checklist.Finding(name: name, detail: "\(way) answered \(spec.name) in \(took) ms")
        } catch {
            return Checklist.Finding(name: name, detail: error.what, fault: error)
        }
    }

    private func recordedNow() throws(Fault) -> Instant? {
        guard let replay else { return nil }
        return try ReplayTransport.recordedNow(directory: replay)
    }
}

/// The checks that need no network. Each one looks at one thing and never stops the others.
struct Checklist {
    let workspace: Workspace
    let isReplay: Bool

    struct Finding {
        var name: String
        var detail: String
        var fault: Fault?
        var isWarning = false

        var text: String {
            let word = fault != nil ? "FAILED " : isWarning ? "warning" : "ok     "
            let mend = (fault?.mend).map { $0.isEmpty ? "" : "\n                 mend: \($0)" } ?? ""
            return "\(word)  \(name)\(String(repeating: " ", count: max(0, 11 - name.count)))\(detail)\(mend)"
        }

        var json: JSONValue {
            [
                "name": .string(name), "status": .string(fault != nil ? "failed" : isWarning ? "warning" : "ok"),
                "detail": .string(detail), "mend": .optional(fault?.mend),
                "exit_code": .integer(fault?.code.exitCode ?? 0),
            ]
        }
    }

    private var pipeline: Pipeline { workspace.pipeline }
    private var root: OutputRoot { workspace.root }

    private func finding(_ name: String, _ look: () throws(Fault) -> String) -> Finding {
        do throws(Fault) { return Finding(name: name, detail: try look()) } catch {
            return Finding(name: name, detail: error.what, fault: error)
        }
    }

    var file: Finding {
        Finding(name: "file", detail: "\(pipeline.file): pipeline \(pipeline.name), \(pipeline.streams.count) streams")
    }

    var enabled: Finding {
        finding("switch") { () throws(Fault) in
            try Switch.check(workspace)
            return "on"
        }
    }

    var credential: Finding {
        let name = pipeline.source.credentialName
        if let credential = pipeline.source.credential, !credential.isEmpty {
            return Finding(name: "credential", detail: "\(name) is set")
        }
        if isReplay {
            return Finding(name: "credential", detail: "\(name) is not set; a replay needs none", isWarning: true)
        }
        let fault = Fault(.denied, "\(name) is not set", mend: "export \(name) with an admin key")
        return Finding(name: "credential", detail: fault.what, fault: fault)
    }

    /// None when nothing is encrypted.
    var keyRing: [Finding] {
        guard pipeline.transform.encryption != nil else { return [] }
        let opened = finding("key ring") { () throws(Fault) in
            guard let key = try workspace.key() else { return "not needed" }
            return "opens; seals under \(key.kid)"
        }
        return [opened]
    }

    var output: Finding {
        finding("output") { () throws(Fault) in
            var folder = root.path
            while try !onDisk({ () throws(DiskError) in try Disk.exists(folder) }), folder != Disk.parent(folder) {
                folder = Disk.parent(folder)
            }
            guard Disk.isWritable(folder) else {
                throw Fault(
                    .cannotWrite,
                    "\(folder) can't be written",
                    mend: "make it writable, or set `load.directory` or --output"
                )
            }
            return folder == root.path ? "\(root.path) can be written" : "\(root.path) can be made"
        }
    }

    var space: Finding {
        var found = finding("space") { () throws(Fault) in
            var folder = root.path
            while try !onDisk({ () throws(DiskError) in try Disk.exists(folder) }), folder != Disk.parent(folder) {
                folder = Disk.parent(folder)
            }
            let free = try onDisk { () throws(DiskError) in try Disk.freeSpace(folder) }
            return "\(ByteSize(bytes: free).text) free" + (free < 256 << 20 ? ", which is little" : "")
        }
        found.isWarning = found.detail.hasSuffix("little")
        return found
    }

    /// Taken and let go again, so only where the output is there already.
    var lock: Finding {
        finding("lock") { () throws(Fault) in
            let isThere = try onDisk { () throws(DiskError) in try Disk.exists(root.lockPath) }
            guard isThere else { return "free" }
            let outcome = try onDisk { () throws(DiskError) in try RunLock.take(root.lockPath, since: Output.now.text) }
            switch outcome {
            case .taken(let lock):
                lock.release()
                return "free"
            case .held(let holder):
                throw Fault(
                    .locked,
                    "process \(holder.process) on \(holder.host) holds it since \(holder.since)",
                    mend: "wait until that run ends"
                )
            }
        }
    }

    var state: Finding {
        finding("state") { () throws(Fault) in
            let current = try root.current()
            guard let store = try StateStore.openToRead(root.statePath, pipeline: pipeline.name) else {
                return current == nil
                    ? "none yet" : "missing; the next run builds it again from generation \(current?.number ?? 0)"
            }
            defer { try? store.close() }
            let known = try store.committedGeneration()
            let open = try store.openPlan().map { "; a run that stopped is open (as of \($0.asOf.text))" } ?? ""
            switch (known, current) {
            case (nil, nil): return "no generation yet\(open)"
            case (.some(let known), .some(let current))
            where known.generation == current.number && known.manifestSHA256 == current.manifestSHA256:
                return "agrees with generation \(current.number)\(open)"
            case (let known, .some(let current)):
                return
                    "speaks of generation \(known?.generation ?? 0), current is \(current.number); the next run catches up\(open)"
            case (.some(let known), nil):
                throw Fault(
                    .cannotWrite,
                    "speaks of generation \(known.generation), and there is none",
                    mend: "bring the generations back, or begin anew: cogni state rebuild \(pipeline.file)"
                )
            }
        }
    }

    var chain: Finding {
        finding("chain") { () throws(Fault) in
            guard try !root.generations().isEmpty else { return "no generation yet" }
            var verifier = Verifier(root)
            let report = try verifier.verify(.chain)
            if let first = report.findings.first {
                let place = first.generation == 0 ? "" : "generation \(first.generation): "
                throw Fault(
                    .difference,
                    "\(place)\(first.path) \(first.detail)",
                    mend: "cogni verify \(root.path) --all"
                )
            }
            return "\(try root.generations().count) generations, each follows the one before"
        }
    }

    /// A clock that stands before what was published would make a run read the wrong days.
    var clock: Finding {
        finding("clock") { () throws(Fault) in
            let now = Output.now
            let newest = try root.current()?.manifest.streams.compactMap(\.watermark).max()
            if now < Instant(year: 2025, month: 1, day: 1) || newest.map({ now < $0 }) == true {
                throw Fault(
                    .cannotWrite,
                    "it says \(now.text), which is before what has been published",
                    mend: "set the machine's clock"
                )
            }
            return now.text
        }
    }
}
