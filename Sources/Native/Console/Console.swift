internal import Glibc

/// The process's own ends: standard output and error, the terminal's size, the environment.
///
/// The only place that writes to descriptors 1 and 2. What is written here has passed the sanitizer already.
package enum Console {
    /// Writes all of a result to stdout.
    /// - Returns: why the rest of it is lost, in the system's words; `nil` also when its reader has gone, who wants no more of it.
    package static func write(_ bytes: [UInt8]) -> String? {
        let number = send(bytes, to: 1)
        return number == 0 || number == EPIPE ? nil : unsafe String(cString: strerror(number))
    }

    /// Writes to stderr. A closed pipe or a full disk behind it must not end a run: what can't be shown is lost, the data is not.
    package static func writeError(_ text: String) { _ = send(Array(text.utf8), to: 2) }

    /// - Returns: the error that stopped it, or 0.
    private static func send(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var at = 0
        while at < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { room in
                unsafe Glibc.write(descriptor, room.baseAddress.map { unsafe $0 + at }, room.count - at)
            }
            if written >= 0 {
                at += written
                continue
            }
            switch errno {
            case EINTR: break
            // Somebody else has made the pipe one that does not wait; for whoever reads it slowly we do.
            case EAGAIN:
                var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&room, 1, -1)
            default: return errno
            }
        }
        return 0
    }

    /// Opens what was closed of stdin, stdout and stderr to nothing. Otherwise the next file that is opened gets the free
    /// number, and a line of progress would be written into an archive or the state. A closed stdout can't be written to afterwards
    /// either: a result that nobody gets is told as one. Call it first.
    package static func fillStandardDescriptors() {
        for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(number, F_GETFD) < 0 {
            // The lowest number that is free, which is this one.
            _ = unsafe open("/dev/null", number == STDOUT_FILENO ? O_RDONLY : O_RDWR)
        }
    }

    /// The command line, the program's name first. Swift finds it by walking back from the environment, and finds nothing
    /// when a preloaded library has moved that (libfaketime does); the kernel knows it all the same.
    package static var arguments: [String] {
        if !CommandLine.arguments.isEmpty { return CommandLine.arguments }
        let descriptor = unsafe open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += block[..<count]
        }
        // Each ends with a NUL, an empty one too.
        return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Columns and rows of the terminal behind stderr; `nil` when it is none.
    package static var size: (width: Int, height: Int)? {
        var size = winsize()
        guard unsafe ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Milliseconds of the monotonic clock.
    package static var milliseconds: Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    /// Seconds since 1970 by the wall clock.
    package static var wallSeconds: Int64 { wallMilliseconds / 1000 }

    /// Milliseconds since 1970 by the wall clock.
    package static var wallMilliseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Ends the process without running what libraries left for its end: other threads still work with what that would
    /// tear down, and an answer of 143 would now and then become a segmentation fault.
    package static func exit(_ code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }

    /// Ends the process without a word to its other threads. `exit` would destroy what they are still using.
    package static func exitAtOnce(_ code: Int32) -> Never { _exit(code) }

    /// Who runs this process, from the system and not from the environment, which anyone can write.
    package static var user: (id: UInt32, name: String) {
        let id = geteuid()
        guard let entry = unsafe getpwuid(id), let name = unsafe entry.pointee.pw_name else { return (id, "") }
        return (id, unsafe String(cString: name))
    }

    package static var hostName: String {
        var room = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&room, room.count - 1) == 0 else { return "" }
        return String(decoding: room.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
