internal import Disk
package import Model

/// Makes an earlier (or later) generation the current one. Deletes nothing.
package struct Rollback: Sendable, Equatable {
    /// When, from where, to where: one line of `rollback_log.ndjson`.
    package var at: Instant
    package var from: Int
    package var to: Int
    package var manifestSHA256: String

    package var json: JSONValue {
        [
            "at": .string(at.text), "from": .integer(from), "to": .integer(to),
            "manifest_sha256": .string(manifestSHA256),
        ]
    }

    /// What ``perform(_:to:at:)`` would do now, exactly. Writes nothing.
    /// - Returns: `nil` when `number` is current already.
    package static func plan(_ root: OutputRoot, to number: Int, at now: Instant) throws(Fault) -> Rollback? {
        let all = try root.generations()
        guard all.contains(number) else {
            throw Fault(
                .badPlan,
                "there is no generation \(number) below `\(root.path)`",
                mend: "use one of: \(all.map(String.init).joined(separator: ", "))"
            )
        }
        // `current` may be missing or broken: then this is the mend.
        let current = try? root.currentNumber()
        if current == number { return nil }
        let target = try root.generation(number)
        return Rollback(at: now, from: current ?? all.last ?? number, to: number, manifestSHA256: target.manifestSHA256)
    }

    /// Points `current` to generation `number`. Needs the lock.
    ///
    /// The log is written first: it tells the recovery of the next run that the generations above `current` were
    /// published and not left by a crash.
    /// - Returns: `nil` when it is current already.
    package static func perform(_ root: OutputRoot, to number: Int, at now: Instant) throws(Fault) -> Rollback? {
        guard let entry = try plan(root, to: number, at: now) else { return nil }
        try onDisk { () throws(DiskError) in
            try Disk.appendLine(root.rollbackLogPath, entry.json.canonical)
            try Disk.pointLink(
                root.currentPath,
                at: "generations/" + OutputRoot.name(of: number),
                temporary: root.temporaryLinkPath
            )
        }
        return entry
    }

    /// The log's entries, oldest first. Lines that are not ours are passed over.
    package static func log(_ root: OutputRoot) throws(Fault) -> [Rollback] {
        try lines(root.rollbackLogPath).compactMap { value in
            guard let at = value["at"]?.text.flatMap({ Instant(text: $0) }), let from = value["from"]?.integer,
                let to = value["to"]?.integer, let digest = value["manifest_sha256"]?.text
            else { return nil }
            return Rollback(at: at, from: from, to: to, manifestSHA256: digest)
        }
    }

    /// The JSON lines of a log of ours; none when it isn't there.
    static func lines(_ path: String) throws(Fault) -> [JSONValue] {
        let bytes = try onDisk { () throws(DiskError) in
            try Disk.exists(path) ? try Disk.contents(path, limit: 256 << 20) : []
        }
        return bytes.split(separator: 10).compactMap { try? JSONValue(parsing: Array($0)) }
    }
}
