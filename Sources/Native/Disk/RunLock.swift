internal import Glibc

/// The right to write below an output root, held by one process at a time.
///
/// The kernel keeps it (`flock`) and lets go when the holder dies, however it dies; the file stays and means nothing by
/// itself. Its content only tells the loser of the race who holds it.
package final class RunLock: @unchecked Sendable {  // the file is touched by `release` and `deinit` only
    /// Who holds the lock, as far as the file tells; all empty when it can't be read.
    package struct Holder: Sendable, Equatable {
        package var process: String
        package var host: String
        package var since: String
    }

    package enum Outcome {
        case taken(RunLock)
        case held(by: Holder)
    }

    private let file: DiskFile

    private init(file: DiskFile) { self.file = file }

    /// - Parameter since: when this run began, for the message that others get.
    package static func take(_ path: String, since: String) throws(DiskError) -> Outcome {
        try DiskGate.pass("open", path)
        let file = try DiskFile.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard try file.lockExclusively() else { return .held(by: holder(path)) }
        try file.truncate()
        try file.write("pid \(getpid())\nhost \(hostName())\nsince \(since)\n")
        return .taken(RunLock(file: file))
    }

    /// Lets go. Happens by itself when the lock goes away.
    package func release() { try? file.close() }

    private static func holder(_ path: String) -> Holder {
        let text = (try? Disk.contents(path, limit: 4096)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        var holder = Holder(process: "", host: "", since: "")
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2 else { continue }
            switch words[0] {
            case "pid": holder.process = words[1]
            case "host": holder.host = words[1]
            case "since": holder.since = words[1]
            default: break
            }
        }
        return holder
    }

    private static func hostName() -> String {
        var room = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&room, room.count - 1) == 0 else { return "unknown" }
        return String(decoding: room.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
