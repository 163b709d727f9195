internal import ArchiveWriting
internal import Disk
package import Model

/// The folder that belongs to one pipeline: generations, the link to the current one, run files, and what the runner
/// keeps.
///
/// Reading needs no lock: a generation never changes once it is visible. Whoever changes something holds the `RunLock`
/// at ``lockPath``.
package struct OutputRoot: Sendable {
    package let path: String

    package init(_ path: String) {
        var trimmed = path
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        self.path = trimmed
    }

    package var lockPath: String { path + "/.lock" }
    /// For files on their way; private to the user, on the same file system as the generations.
    package var stagingPath: String { path + "/.staging" }
    package var runsPath: String { path + "/runs" }
    package var statePath: String { path + "/state.sqlite" }
    package var rollbackLogPath: String { path + "/rollback_log.ndjson" }
    package var logsPath: String { path + "/logs" }
    package var auditPath: String { path + "/audit" }
    package var vacuumLogPath: String { path + "/vacuum_log.ndjson" }
    package var currentPath: String { path + "/current" }
    var generationsPath: String { path + "/generations" }
    var temporaryLinkPath: String { path + "/.current.new" }

    package static func name(of generation: Int) -> String { generation.zeroPadded(6) }

    package func generationPath(_ number: Int) -> String { generationsPath + "/" + OutputRoot.name(of: number) }

    /// Makes the folders that are missing.
    package func prepare() throws(Fault) {
        try refuseLinks()
        try onDisk { () throws(DiskError) in
            try Disk.makeFolders(path)
            let modes: KeyValuePairs<String, UInt32> = [generationsPath: 0o755, runsPath: 0o755, stagingPath: 0o700]
            var isNew = false
            for (folder, mode) in modes where try Disk.status(folder) == nil {
                try Disk.makeFolder(folder, mode: mode)
                isNew = true
            }
            if isNew { try Disk.syncFolder(path) }
        }
    }

    /// Empties the folder that runs stage in, or one of theirs in it; it is there afterwards.
    package func empty(_ staging: String) throws(Fault) {
        try onDisk { () throws(DiskError) in
            try Disk.removeTree(staging)
            try Disk.makeFolders(staging, mode: 0o700)
        }
    }

    /// A link in the place of a folder of ours would lead what we write out of the output root. What stands above the root
    /// may be a link: people put their output on other disks that way.
    package func refuseLinks() throws(Fault) {
        for folder in [path, generationsPath, runsPath, stagingPath, logsPath, auditPath] {
            let status = try onDisk { () throws(DiskError) in try Disk.status(folder) }
            guard let status, status.kind != .folder else { continue }
            throw Fault(
                .cannotWrite,
                "`\(folder)` is \(status.kind == .link ? "a symbolic link" : "no folder")",
                mend: folder == path
                    ? "remove it, or set `load.directory` or `--output` to the folder that it points into"
                    : "remove it: what is written must stay below `\(path)`"
            )
        }
    }

    /// Numbers of the generations that are there, ascending.
    package func generations() throws(Fault) -> [Int] {
        try onDisk { () throws(DiskError) in
            guard try Disk.exists(generationsPath) else { return [] }
            var numbers: [Int] = []
            for name in try Disk.list(generationsPath) {
                guard let number = OutputRoot.number(name),
                    try Disk.status(generationsPath + "/" + name)?.kind == .folder
                else { continue }
                numbers.append(number)
            }
            return numbers.sorted()
        }
    }

    /// The generation that `current` points to; `nil` before the first. A link that leads nowhere is a fault.
    package func currentNumber() throws(Fault) -> Int? {
        let target = try onDisk { () throws(DiskError) in
            try Disk.status(currentPath) == nil ? nil : try Disk.readLink(currentPath)
        }
        guard let target else {
            guard try generations().isEmpty else { throw lost("`\(currentPath)` is missing though generations exist") }
            return nil
        }
        guard target.hasPrefix("generations/"), let number = OutputRoot.number(String(target.dropFirst(12))) else {
            throw lost("`\(currentPath)` points to `\(target)`, which is no generation")
        }
        let isThere = try onDisk { () throws(DiskError) in try Disk.status(generationPath(number))?.kind == .folder }
        guard isThere else { throw lost("`\(currentPath)` points to `\(target)`, which is missing") }
        return number
    }

    package func current() throws(Fault) -> Generation? {
        guard let number = try currentNumber() else { return nil }
        return try generation(number)
    }

    /// The current generation; `known` where that is still it, byte for byte.
    func current(unless known: Generation?) throws(Fault) -> Generation? {
        guard let number = try currentNumber() else { return nil }
        if let known, known.number == number,
            try Generation.manifestBytes(in: generationPath(number)) == known.manifestBytes
        {
            return known
        }
        return try generation(number)
    }

    package func generation(_ number: Int) throws(Fault) -> Generation {
        try Generation(number: number, path: generationPath(number))
    }

    private func lost(_ what: String) -> Fault {
        Fault(.cannotWrite, what, mend: "point it to a generation with `cogni rollback \(path) --to GEN`")
    }

    static func number(_ name: String) -> Int? {
        guard name.utf8.count >= 6, name.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = Int(name), number > 0,
            OutputRoot.name(of: number) == name
        else { return nil }
        return number
    }
}

/// One published generation.
package struct Generation: Sendable {
    package var number: Int
    package var path: String
    package var manifest: Manifest
    /// As stored.
    package var manifestBytes: [UInt8]
    package var manifestSHA256: String

    init(number: Int, path: String) throws(Fault) {
        self.number = number
        self.path = path
        manifestBytes = try Generation.manifestBytes(in: path)
        manifest = try Manifest(parsing: manifestBytes, path: path + "/manifest.json")
        manifestSHA256 = SHA256.hex(of: manifestBytes)
    }

    static func manifestBytes(in path: String) throws(Fault) -> [UInt8] {
        try onDisk { () throws(DiskError) in try Disk.contents(path + "/manifest.json", limit: manifestLimit) }
    }

    /// More than a million files; a manifest beyond this is not ours.
    static let manifestLimit = 1 << 30
}
