import ArchiveWriting
import Console
import Disk
import KeyRing
import Ledger
import Load
import Model
import PipelineFile
import Reporting
import Runner
import Sealing
import Telemetry

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
            return "\(word)  \(name)\(String(repeating: " ", count: max(1, 11 - name.count)))\(detail)\(mend)"
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
        let missing = pipeline.source.missingCredential
        if isReplay {
            return Finding(name: "credential", detail: "\(missing.what); a replay needs none", isWarning: true)
        }
        let fault = Fault(.denied, missing.what, mend: missing.mend)
        return Finding(name: "credential", detail: fault.what, fault: fault)
    }

    /// Each variable and file that the pipeline file names. Never what it holds.
    func variables(_ path: String) -> [Finding] {
        let bytes = (try? Workspace.contents(path)) ?? []
        let found = PipelineReader.references(bytes: bytes, environment: Environment.all) { name in
            try? InputFile.contents(name, limit: 1 << 20)
        }
        return found.map { one in
            let what = "\(one.name) (\(one.key))"
            switch one.standing {
            case .set: return Finding(name: "variable", detail: "\(what) \(one.isFile ? "can be read" : "is set")")
            case .defaulted: return Finding(name: "variable", detail: "\(what) is not set; the file's default holds")
            // Whatever a run can't do without has a check of its own, or the file would not have been read.
            case .missing: return Finding(name: "variable", detail: "\(what) is not set", isWarning: true)
            }
        }
    }

    /// None when no receiver is named.
    var webhook: [Finding] {
        guard pipeline.alerts.webhook != nil else { return [] }
        return [
            finding("webhook") { () throws(Fault) in
                guard let secret = pipeline.alerts.webhookSecret else {
                    throw Fault(
                        .badPlan,
                        "a receiver is named, and nothing to sign events with is set",
                        mend: "set \(pipeline.alerts.webhookSecretName) to whsec_ and the base64 of 32 random bytes"
                    )
                }
                let keys = try WebhookKey.keys(secret)
                let store = try StateStore.openToRead(root.statePath, pipeline: pipeline.name)
                defer { try? store?.close() }
                let waiting = try store?.outbox().count { $0.state == .waiting } ?? 0
                if let stopped = try store?.stoppedReceiver() {
                    throw Fault(
                        .unreachable,
                        "nothing is sent since \(stopped.at.text): \(stopped.reason)",
                        mend: "name another receiver, or: \(workspace.command("alerts resume"))"
                    )
                }
                return "signs with \(Phrase.count(keys.count, "key")); \(Phrase.count(waiting, "event")) waiting"
            }
        ]
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
            let found = folder
            guard try onDisk({ () throws(DiskError) in try Disk.target(found)?.kind == .folder }) else {
                throw Fault(
                    .cannotWrite,
                    "\(folder) is no folder",
                    mend: "remove it, or set `load.directory` or --output to another place"
                )
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

    /// Room for the current generation once more: what a full refresh would write before it can drop anything.
    var space: Finding {
        var isLittle = false
        var found = finding("space") { () throws(Fault) in
            var folder = root.path
            while try !onDisk({ () throws(DiskError) in try Disk.exists(folder) }), folder != Disk.parent(folder) {
                folder = Disk.parent(folder)
            }
            let free = try onDisk { () throws(DiskError) in try Disk.freeSpace(folder) }
            let stored = (try? root.current()).flatMap(\.self)?.manifest.files.reduce(0) { $0 + $1.facts.bytes } ?? 0
            let needed = max(stored + stored / 5, 256 << 20)
            if free < 32 << 20 {
                throw Fault(
                    .cannotWrite,
                    "\(ByteSize(bytes: free).text) free, which no run can do with",
                    mend: "free space, for example with `\(TypedCommand("vacuum", root.path).with("--keep", "2"))`"
                )
            }
            isLittle = free < needed
            return "\(ByteSize(bytes: free).text) free"
                + (isLittle ? ", which is little: a full refresh may take \(ByteSize(bytes: needed).text)" : "")
        }
        found.isWarning = isLittle
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
                    mend: "bring the generations back, or begin anew: \(workspace.command("state rebuild"))"
                )
            }
        }
    }

    /// Stream by stream, the state's cursor and the manifest's. One that was reset on purpose is not in the state.
    var cursors: Finding {
        finding("cursors") { () throws(Fault) in
            guard let current = try root.current(),
                let store = try StateStore.openToRead(root.statePath, pipeline: pipeline.name)
            else { return "none yet" }
            defer { try? store.close() }
            // When the next run catches up, it takes all of them from the manifest.
            guard try store.committedGeneration()?.manifestSHA256 == current.manifestSHA256 else {
                return "taken from the manifest by the next run"
            }
            let kept = try store.watermarks()
            for mark in kept {
                guard let stream = current.manifest.stream(mark.stream), stream.watermark != mark.watermark else {
                    continue
                }
                throw Fault(
                    .cannotWrite,
                    "\(mark.stream) stands at \(mark.watermark?.text ?? "nothing") in the state and at \(stream.watermark?.text ?? "nothing") in the manifest",
                    mend: workspace.command("state rebuild").description
                )
            }
            return "\(kept.count) agree with the manifest"
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
                    mend: TypedCommand("verify", root.path).with("--all", if: true).description
                )
            }
            return "\(try root.generations().count) generations, each follows the one before"
        }
    }

    /// The rest of what a run would refuse: another owner, other settings, rows of another kind.
    func settings(_ options: RunOptions) -> Finding {
        finding("settings") { () throws(Fault) in
            if let refusal = try workspace.refusal(options) { throw refusal }
            return "as those of what is published"
        }
    }

    /// A clock that stands before what was published would make a run read the wrong days.
    var clock: Finding {
        finding("clock") { () throws(Fault) in
            let now = Output.now
            let newest = try root.current()?.manifest.streams.compactMap(\.watermark).max()
            if now < Instant(year: 2025, month: 1, day: 1) || newest.map({ now < $0 }) == true {
                throw Fault(
                    .badPlan,
                    "it says \(now.text), which is before what has been published",
                    mend: "set the machine's clock"
                )
            }
            return now.text
        }
    }
}
