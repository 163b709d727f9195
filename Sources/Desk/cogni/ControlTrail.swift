import Console
import Disk
import KeyRing
import Ledger
import Load
import Model
import Sanitizing

/// Who steered a pipeline by hand, or that it steered itself: `audit/control.ndjson` in its folder (a folder of its own, since the trail locks it and a run locks the output), a chain of hashes like that of
/// `cogni decrypt`. `cogni keys audit --file` checks it.
enum ControlTrail {
    static func path(_ root: OutputRoot) -> String { root.auditPath + "/control.ndjson" }

    /// Durable when it returns, so that it can stand before what it tells.
    /// - Parameter members: what was before, and what is after.
    static func note(_ action: String, _ root: OutputRoot, _ members: [JSONValue.Member]) throws(Fault) {
        let user = Console.user
        let sanitizer = Terminal.sanitizer
        let record = JSONValue.object(
            [
                .init("action", .string(action)), .init("at", .string(Output.now.text)),
                .init(
                    "user",
                    ["uid": .integer(user.id), "user": .string(user.name), "host": .string(Console.hostName)]
                ),
                .init("sudo_user", .optional(Environment.all["SUDO_USER"])),
            ] + members
        )
        try root.refuseLinks()
        try onDisk { () throws(DiskError) in try Disk.makeFolders(Disk.parent(path(root)), mode: 0o700) }
        try AuditTrail(path(root)).append(sanitizer.clean(record).members ?? [])
    }

    /// How the switch was turned last, by the trail; `nil` when it tells of no turn.
    static func lastTurn(_ root: OutputRoot) throws(Fault) -> PipelineSwitch? {
        for record in try AuditTrail(path(root)).records().reversed() {
            guard ["enable", "disable"].contains(record["action"]?.text), let enabled = record["after"]?.boolean,
                let at = record["at"]?.text.flatMap({ Instant(text: $0) })
            else { continue }
            return PipelineSwitch(
                enabled: enabled,
                reason: record["reason"]?.text ?? "",
                by: record["by"]?.text ?? "someone",
                at: at
            )
        }
        return nil
    }

    static func note(_ flag: PipelineSwitch, before: Bool, _ root: OutputRoot) throws(Fault) {
        try note(
            flag.enabled ? "enable" : "disable",
            root,
            [
                .init("by", .string(flag.by)), .init("reason", .string(flag.reason)), .init("before", .bool(before)),
                .init("after", .bool(flag.enabled)),
            ]
        )
    }
}
