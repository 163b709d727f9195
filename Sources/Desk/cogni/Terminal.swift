import Console
import Model
import Reporting
import Sanitizing
import Synchronization

/// The one door to stdout and stderr: every text passes the sanitizer here.
enum Terminal {
    private static let held = Mutex<(secrets: [Secret], sanitizer: Sanitizer)>(([], Sanitizer()))
    private static let shownJSON = Mutex(false)
    private static let loss = Mutex<Fault?>(nil)

    /// Secrets that this process holds from now on; they are hidden in every text that follows. Those of before stay.
    static func hide(_ secrets: [Secret]) {
        held.withLock { held in
            held.secrets += secrets
            held.sanitizer = Sanitizer(knownValues: held.secrets)
        }
    }

    /// The door for sinks that are not the terminal: logs, webhooks, metrics, run files, recordings.
    ///
    /// Take it after the pipeline file was read, which is when its secrets are known. Text goes through `clean(_:)`, JSON through
    /// `clean(_:)` or `line(_:)`, kept bytes through `mask(_:)`.
    static var sanitizer: Sanitizer { held.withLock { $0.sanitizer } }

    static func clean(_ text: String) -> String { sanitizer.clean(text, keepsLines: true) }

    static func cleanLine(_ text: String) -> String { sanitizer.clean(text) }

    /// A command's result.
    static func out(_ text: String) { result(Array((clean(text) + "\n").utf8)) }

    /// A command's result as JSON on stdout; each text is cleaned on its own, so that it stays JSON.
    static func out(_ json: JSONValue) {
        shownJSON.withLock { $0 = true }
        result(Array((sanitizer.clean(json).pretty + "\n").utf8))
    }

    /// Rows as the archive holds them, which the user asked to see: the pipeline's own rules were applied to them.
    static func data(_ bytes: [UInt8]) throws(Fault) {
        result(bytes)
        if let lost { throw lost }
    }

    /// Why results did not reach stdout; `nil` as long as all did. A command's end looks at it; one that goes on for long does before.
    static var lost: Fault? { loss.withLock { $0 } }

    /// Nothing follows what was cut: the file ends where the fault is.
    private static func result(_ bytes: [UInt8]) {
        guard lost == nil, let reason = Console.write(bytes) else { return }
        loss.withLock {
            $0 = Fault(
                .cannotWrite,
                "the result could not be written: \(reason)",
                at: ["stdout"],
                mend: "free space or send stdout elsewhere, and ask again; what the command has changed stands"
            )
        }
    }

    static func error(_ text: String) { Console.writeError(clean(text) + "\n") }

    /// Progress: has its own line ends and cursor movements, which stay as they are; secrets do not.
    static func progress(_ text: String) {
        Console.writeError(String(decoding: sanitizer.mask(Array(text.utf8)), as: UTF8.self))
    }

    /// What a person answers at the terminal; `nil` when the input ends.
    static func answer(to question: String) -> String? {
        progress(question)
        return readLine()
    }

    /// Help, version and completion scripts: constants of ours.
    static func help(_ text: String) { result(Array((text + "\n").utf8)) }

    /// Whether the one object that `--json` promises has been printed.
    static var hasShownJSON: Bool { shownJSON.withLock { $0 } }

    /// A failure that ends the command: how to mend it, then the one last line that says what happened and where.
    ///
    /// - Parameter asJSON: scripts that asked for JSON get the same on stdout, unless the command's result, which tells it, is there.
    /// - Parameter members: what the JSON says beside the fault.
    static func end(with fault: Fault, asJSON: Bool, and members: [JSONValue.Member] = []) {
        if asJSON, !hasShownJSON {
            out(.object([.init("format", "cogni-error/1"), .init("error", fault.json)] + members))
        }
        if !fault.mend.isEmpty { error("  mend: " + Phrase.printable(fault.mend)) }
        error(fault.finalLine)
    }

    static var usesColor: Bool {
        Console.isTerminal(2) && Environment.all["NO_COLOR", default: ""].isEmpty && Environment.all["TERM"] != "dumb"
    }

    static var width: Int { Console.size?.width ?? 120 }
}
