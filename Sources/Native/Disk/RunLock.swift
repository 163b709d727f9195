internal import Glibc

/// The right to write below an output root, held by one process at a time.
///
/// The kernel keeps it (`flock`) and lets go when the holder dies, however it dies. What is locked is the folder itself,
/// which nobody deletes by mistake, and the file in it; the file alone where the file system can't lock folders. The
/// file's content means nothing to the kernel: it tells the loser of the race who holds the lock.
package final class RunLock: @unchecked Sendable {  // the files are touched by `release` and `deinit` only
    /// Who holds the lock, as far as the file tells; all empty when it can't be read.
    package struct Holder: Sendable, Equatable {
        package var process: String
        package var host: String
        package var since: String
        /// The words of its command line behind the program's name.
        package var command: String

        package init(process: String, host: String, since: String, command: String) {
            self.process = process
            self.host = host
            self.since = since
            self.command = command
        }
    }

    package enum Outcome {
        case taken(RunLock)
        case held(by: Holder)
    }

    private let file: DiskFile
    /// `nil` where folders can't be locked.
    private let folder: DiskFile?

    private init(file: DiskFile, folder: DiskFile?) {
        self.file = file
        self.folder = folder
    }

    /// - Parameters:
    ///   - path: the file; the folder that holds it must be there. Nothing is made when another process has the lock.
    ///   - since: when this run began, for the message that others get.
    package static func take(_ path: String, since: String) throws(DiskError) -> Outcome {
        // A process that only looks whether the lock is free holds it for a moment; and a holder who has just won has not
        // said yet who it is.
        for attempt in 0..<50 {
            if let lock = try attemptToTake(path, since: since) { return .taken(lock) }
            if attempt >= 5, !holder(path).process.isEmpty { break }
            usleep(20_000)
        }
        return .held(by: holder(path))
    }

    private static func attemptToTake(_ path: String, since: String) throws(DiskError) -> RunLock? {
        let parent = try DiskFile.open(Disk.parent(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        var folder: DiskFile? = parent
        do throws(DiskError) {
            guard try parent.lockExclusively() else { return nil }
        } catch {
            // NFS and others lock files only, and say so with one number or another. A disk that fails is none of them.
            guard error.cause != .device else { throw error }
            folder = nil
        }
        // Someone may remove or replace the file between the opening and the lock; then the lock is on a file that nobody
        // else will find.
        while true {
            try DiskGate.pass("open", path)
            let file = try DiskFile.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard try file.lockExclusively() else { return nil }
            guard try file.isStill(at: path) else { continue }
            try file.truncate()
            try file.write(
                "pid \(getpid())\nhost \(hostName())\nsince \(since)\ncommand \(commandLine())\n"
            )
            return RunLock(file: file, folder: folder)
        }
    }

    /// Whether a process that came now would still be refused: the folder is the one that was locked, and so is the file
    /// where it is all there is.
    package func isStillHeld() throws(DiskError) -> Bool {
        if let folder { return try folder.isStill(at: folder.path) }
        return try file.isStill(at: file.path)
    }

    /// Lets go. Happens by itself when the lock goes away.
    package func release() {
        try? file.close()
        try? folder?.close()
    }

    private static func holder(_ path: String) -> Holder {
        let text = (try? Disk.contents(path, limit: 4096)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        var holder = Holder(process: "", host: "", since: "", command: "")
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2 else { continue }
            switch words[0] {
            case "pid": holder.process = words[1]
            case "host": holder.host = words[1]
            case "since": holder.since = words[1]
            case "command": holder.command = words[1]
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

    /// At most 1000 bytes, in one line.
    private static func commandLine() -> String {
        let words = (try? Disk.contents("/proc/self/cmdline", limit: 1 << 20)) ?? []
        let line = words.dropLast().drop { $0 != 0 }.dropFirst().prefix(1000).map { byte in
            byte == 0 ? UInt8(ascii: " ") : byte < 32 || byte == 127 ? UInt8(ascii: "?") : byte
        }
        return String(decoding: line, as: UTF8.self)
    }
}
