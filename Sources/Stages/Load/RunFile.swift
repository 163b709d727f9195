internal import Disk
package import Model

/// `runs/<run-id>.json`: how a run went. Not deterministic, and no part of any generation.
package enum RunFile {
    /// Writes it whole or not at all. `id` is made of letters, digits, `-`, `_` and `.`.
    package static func write(_ root: OutputRoot, id: String, _ value: JSONValue) throws(Fault) {
        precondition(ArchiveName.isPlain(id) && !id.contains("/") && !id.hasPrefix("."), "not a run id")
        try onDisk { () throws(DiskError) in
            try Disk.makeFolders(root.runsPath)
            try Disk.replace(root.runsPath + "/\(id).json", with: Array((value.pretty + "\n").utf8))
        }
    }
}

/// The runs of an output, from their files.
package struct History: Sendable, Equatable {
    package struct Run: Sendable, Equatable {
        package var id: String
        package var json: JSONValue
    }

    /// In the order of their ids, which begin with the time.
    package var runs: [Run]
    /// Files that could not be read, with the reason.
    package var unreadable: [String]

    package init(_ root: OutputRoot) throws(Fault) {
        runs = []
        unreadable = []
        let names = try onDisk { () throws(DiskError) in
            try Disk.exists(root.runsPath) ? try Disk.list(root.runsPath) : []
        }
        for name in names where name.hasSuffix(".json") && !name.hasPrefix(".") {
            do {
                let bytes = try Disk.contents(root.runsPath + "/" + name, limit: 64 << 20)
                runs.append(Run(id: String(name.dropLast(5)), json: try JSONValue(parsing: bytes)))
            } catch {
                unreadable.append("\(name): \(error)")
            }
        }
    }
}
