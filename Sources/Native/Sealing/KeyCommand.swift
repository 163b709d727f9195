internal import COpenSSL
internal import Glibc

/// Why a key command gave no answer.
package enum KeyCommandError: Error, Sendable, Equatable {
    /// Not there, not executable: the operating system's words.
    case cannotStart(reason: String)
    case timedOut
    /// It ran, and how it ended is not to be had: the kernel or someone else in this process has taken its status.
    case statusLost
    /// More on stdout than was allowed.
    case tooMuchOutput
    /// The exit status, or minus the signal; and the start of what it wrote to stderr, not yet fit to be shown.
    case failed(status: Int32, words: [UInt8])
}

/// Asks an operator's program for a key: one line in, one line out. No shell, an environment with nothing of
/// ours in it, and a deadline.
package enum KeyCommand {
    package static let outputLimit = 4096

    /// - Parameters:
    ///   - command: The program's absolute path, then its arguments.
    ///   - line: Written to stdin, at most 4 KiB; may hold a key.
    ///   - environment: All that the program gets to see, as `NAME=value`.
    ///   - milliseconds: After that long the program and its children are killed.
    ///   - limit: How many bytes the program may write.
    /// - Returns: What the program wrote to stdout.
    package static func ask(
        _ command: [String],
        line: KeyBytes,
        environment: [String],
        milliseconds: Int,
        limit: Int = outputLimit
    ) throws(KeyCommandError) -> KeyBytes {
        precondition(line.count <= outputLimit, "a request to a key command is short")
        let input = try Pipe()
        let output = try Pipe()
        let errors = try Pipe()
        // The line fits into the pipe, so it is written before there is anyone to read it: no blocking, no SIGPIPE.
        let sent = unsafe line.withRaw { unsafe write(input.writeEnd, $0.baseAddress, $0.count) }
        guard sent == line.count else { throw .cannotStart(reason: "the request could not be written") }
        let child = try spawn(command, environment, [input.readEnd, output.writeEnd, errors.writeEnd])
        input.closeBoth()
        output.closeWriteEnd()
        errors.closeWriteEnd()

        var reader = Reader(deadline: now() + milliseconds, limit: limit)
        defer { reader.wipe() }
        let ended = reader.readAll(output.readEnd, errors.readEnd)
        guard ended == .finished, let status = try reap(child, until: reader.deadline) else {
            _ = kill(-child, SIGKILL)
            var ignored: Int32 = 0
            while unsafe waitpid(child, &ignored, 0) < 0, errno == EINTR {}
            throw ended == .tooMuch ? .tooMuchOutput : .timedOut
        }
        guard status == 0 else { throw .failed(status: status, words: reader.words) }
        do { return try reader.answer() } catch { throw .cannotStart(reason: "out of memory") }
    }

    private static func spawn(_ command: [String], _ environment: [String], _ files: [Int32]) throws(KeyCommandError)
        -> pid_t
    {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe _ = posix_spawn_file_actions_destroy(&actions)
            unsafe _ = posix_spawnattr_destroy(&attributes)
        }
        for (target, file) in files.enumerated() {
            unsafe _ = posix_spawn_file_actions_adddup2(&actions, file, Int32(target))
        }
        // Nothing else of ours: libcurl's sockets, for one, are not closed on exec.
        unsafe _ = cogni_close_from(&actions, 3)
        // A group of its own, so that what it starts can be ended with it; and signals as a shell hands them out, not
        // ignored or blocked as they are here: it may wait for children and write into pipes itself.
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        unsafe _ = posix_spawnattr_setflags(&attributes, Int16(flags))
        unsafe _ = posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe _ = posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe _ = posix_spawnattr_setsigdefault(&attributes, &signals)
        var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
        var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer {
            for index in 0..<command.count { unsafe free(arguments[index]) }
            for index in 0..<environment.count { unsafe free(variables[index]) }
        }
        var child: pid_t = 0
        var number = unsafe posix_spawn(&child, command[0], &actions, &attributes, &arguments, &variables)
        // A program that was only just installed can be "busy" for a moment: some process forked while it was written.
        for _ in 0..<50 where number == ETXTBSY {
            usleep(10_000)
            number = unsafe posix_spawn(&child, command[0], &actions, &attributes, &arguments, &variables)
        }
        guard number == 0 else { throw .cannotStart(reason: unsafe String(cString: strerror(number))) }
        return child
    }

    /// The exit status, minus the signal, or `nil` at the deadline.
    static func reap(_ child: pid_t, until deadline: Int) throws(KeyCommandError) -> Int32? {
        while true {
            var status: Int32 = 0
            let got = unsafe waitpid(child, &status, WNOHANG)
            if got == child { return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F) }
            if got < 0, errno != EINTR { throw .statusLost }
            guard now() < deadline else { return nil }
            usleep(2000)
        }
    }

    /// Milliseconds of a clock that nobody sets.
    static func now() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}

/// Both ends of a pipe, closed on exec and when it goes away.
private final class Pipe {
    private(set) var readEnd: Int32 = -1
    private(set) var writeEnd: Int32 = -1

    init() throws(KeyCommandError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw .cannotStart(reason: "no pipe") }
        (readEnd, writeEnd) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    deinit { closeBoth() }

    func closeWriteEnd() {
        if writeEnd >= 0 { _ = close(writeEnd) }
        writeEnd = -1
    }

    func closeBoth() {
        closeWriteEnd()
        if readEnd >= 0 { _ = close(readEnd) }
        readEnd = -1
    }
}

/// Collects what the program says, the answer in memory that is wiped.
private struct Reader {
    enum End { case finished, timedOut, tooMuch }

    let deadline: Int
    private let limit: Int
    private var buffer: [UInt8]
    private var count = 0
    private(set) var words: [UInt8] = []

    init(deadline: Int, limit: Int) {
        self.deadline = deadline
        self.limit = limit
        buffer = [UInt8](repeating: 0, count: limit + 1)
    }

    mutating func readAll(_ output: Int32, _ errors: Int32) -> End {
        var open = [output, errors]
        while !open.isEmpty {
            let left = deadline - KeyCommand.now()
            guard left > 0 else { return .timedOut }
            var asked = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let ready = unsafe poll(&asked, nfds_t(asked.count), Int32(left))
            if ready < 0, errno != EINTR { return .timedOut }
            for entry in asked where entry.revents != 0 {
                let got = entry.fd == output ? readAnswer(output) : readWords(errors)
                if got == 0 { open.removeAll { $0 == entry.fd } }
                if count > limit { return .tooMuch }
            }
        }
        return .finished
    }

    private mutating func readAnswer(_ file: Int32) -> Int {
        let start = count
        let got = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe read(file, bytes.baseAddress.map { unsafe $0 + start }, bytes.count - start)
        }
        count += max(got, 0)
        return got < 0 && errno == EINTR ? -1 : max(got, 0)
    }

    private mutating func readWords(_ file: Int32) -> Int {
        var some = [UInt8](repeating: 0, count: 1024)
        let got = unsafe some.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        if got > 0, words.count < 512 { words.append(contentsOf: some.prefix(got)) }
        return got < 0 && errno == EINTR ? -1 : max(got, 0)
    }

    func answer() throws(SealingError) -> KeyBytes {
        try KeyBytes(copying: buffer.span.extracting(first: count))
    }

    mutating func wipe() {
        unsafe buffer.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
    }
}
