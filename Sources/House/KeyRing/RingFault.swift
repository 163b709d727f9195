internal import Model
internal import Sanitizing
internal import Sealing

/// The ways in which a key ring can be unusable, each in words of its own. None holds a byte of a key.
enum RingFault {
    static func of(_ what: String, _ path: String, mend: String) -> Fault {
        Fault(.cannotSeal, what, at: ["key ring \(path)"], mend: mend)
    }

    /// A trail is written, not opened: what keeps it from that is no failure of keys.
    private static func fault(_ kind: String, _ what: String, _ path: String, mend: String) -> Fault {
        Fault(kind == AuditTrail.kind ? .cannotWrite : .cannotSeal, what, at: ["\(kind) \(path)"], mend: mend)
    }

    static func file(_ error: PrivateFileError, _ kind: String, _ path: String) -> Fault {
        func of(_ what: String, _ path: String, mend: String) -> Fault { fault(kind, what, path, mend: mend) }
        return switch error {
        case .missing where kind.hasSuffix("folder"):
            of("the \(kind) \(path) does not exist", path, mend: "make the folder first, or name another one")
        case .missing:
            of(
                "the \(kind) \(path) does not exist",
                path,
                mend: "name the file that exists\(kind == "key ring" ? ", or run `cogni keys create`" : "")"
            )
        case .link:
            of("the \(kind) \(path) is a symbolic link", path, mend: "name the file itself; links are not followed")
        case .notAFile: of("\(path) is not a file", path, mend: "name a regular file as \(kind)")
        case .tooLarge(let count):
            of("the \(kind) has \(count) bytes", path, mend: "name a \(kind), not some other file")
        case .exists:
            of(
                "\(path) exists already",
                path,
                mend: "name another file\(kind == "key ring" ? ", or use `cogni keys rotate` to add a key" : "")"
            )
        case .system(let call, let reason):
            of("\(call) of the \(kind) failed: \(reason)", path, mend: "mend that and try again")
        }
    }

    /// Refuses a file that others could have written, or, unless `isPublic`, that they could read.
    static func checkAccess(
        _ content: PrivateFile.Content,
        _ kind: String,
        _ path: String,
        isPublic: Bool
    ) throws(Fault) {
        func of(_ what: String, _ path: String, mend: String) -> Fault { fault(kind, what, path, mend: mend) }
        if content.isWritableByOthers {
            throw of(
                "the \(kind) \(path) can be written by others (mode \(octal(content.mode)))",
                path,
                mend: "chmod 600 '\(path)'"
            )
        }
        if isPublic { return }
        if content.isReadableByOthers {
            throw of(
                "the \(kind) \(path) can be read by others (mode \(octal(content.mode)))",
                path,
                mend: "chmod 600 '\(path)'"
            )
        }
        if !content.isOurs {
            throw of(
                "the \(kind) \(path) belongs to another user",
                path,
                mend: "chown the file to the user that runs cogni"
            )
        }
    }

    private static func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }

    /// - Parameter kind: `master key command /path`, without arguments.
    static func command(_ error: KeyCommandError, _ kind: String, _ path: String, limit: Int) -> Fault {
        switch error {
        case .cannotStart(let reason):
            return of("the \(kind) could not be started: \(reason)", path, mend: "check the path and its mode")
        case .timedOut:
            return of("the \(kind) gave no answer in time", path, mend: "check that what it asks can be reached")
        case .statusLost:
            return of(
                "the \(kind) ran, and the system does not say how it ended",
                path,
                mend: "start cogni with SIGCHLD not ignored"
            )
        case .tooMuchOutput:
            return of(
                "the \(kind) wrote more than \(limit) bytes",
                path,
                mend: "let it write what it is asked for and nothing else"
            )
        case .failed(let status, let words):
            let how = status < 0 ? "signal \(-status)" : "status \(status)"
            let line = Sanitizer().complaint(words, keepsLines: true).split(separator: "\n").first ?? ""
            let said = line.isEmpty ? "" : ": \(line)"
            return of("the \(kind) ended with \(how)\(said)", path, mend: "mend what the command complains about")
        }
    }

    static func sealing(_ error: SealingError, _ path: String) -> Fault {
        of("OpenSSL failed: \(error)", path, mend: "check the installation with `cogni version --verbose`")
    }
}

extension KeyBytes {
    /// A copy for parsing; only for what is no secret, such as the ring's text.
    var array: [UInt8] { withSpan { span in span.indices.map { span[$0] } } }
}
