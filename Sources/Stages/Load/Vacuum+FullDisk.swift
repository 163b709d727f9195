internal import ArchiveWriting
internal import Disk
internal import Model

/// Dropping generations where the disk has no room for the line that tells of it.
///
/// A generation is then taken out of sight first, as `.untold-N`, and loses all but its manifest; the room that this gives takes the line.
/// Until the line is there, the folder tells what it would: the chain counts it, and whoever finds it writes the line before removing it.
extension OutputRoot {
    static let untoldPrefix = ".untold-"

    /// Takes a generation out of sight and frees its files.
    func withdraw(_ number: Int) throws(Fault) {
        try refuseLinkedGenerations()
        let hidden = untoldPath(number)
        try onDisk { () throws(DiskError) in
            try Disk.rename(generationPath(number), to: hidden)
            try Disk.syncFolder(generationsPath)
        }
        try emptyUntold(number)
    }

    /// All but the manifest. Also what a crash has left of it.
    func emptyUntold(_ number: Int) throws(Fault) {
        let hidden = untoldPath(number)
        try onDisk { () throws(DiskError) in
            for name in try Disk.list(hidden) where name != "manifest.json" {
                try Disk.removeTree(hidden + "/" + name)
            }
        }
    }

    func removeUntold(_ number: Int) throws(Fault) {
        try onDisk { () throws(DiskError) in
            try Disk.removeTree(untoldPath(number))
            try Disk.syncFolder(generationsPath)
        }
    }

    /// What is out of sight and has no line yet, oldest first.
    func untold() throws(Fault) -> [Vacuum.Entry] {
        try onDisk { () throws(DiskError) in
            guard try Disk.exists(generationsPath) else { return [] }
            var found: [Vacuum.Entry] = []
            for name in try Disk.list(generationsPath) where name.hasPrefix(OutputRoot.untoldPrefix) {
                let digits = String(name.dropFirst(OutputRoot.untoldPrefix.count))
                guard let number = OutputRoot.number(digits) else { continue }
                let digest = try Vacuum.digest(generationsPath + "/" + name)
                let path = "generations/" + OutputRoot.name(of: number)
                found.append(Vacuum.Entry(generation: number, manifestSHA256: digest, path: path, bytes: 0))
            }
            return found
        }
    }

    private func untoldPath(_ number: Int) -> String {
        generationsPath + "/" + OutputRoot.untoldPrefix + OutputRoot.name(of: number)
    }
}
