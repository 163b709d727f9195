import Console
import Model
import Reporting
import Sanitizing
import Synchronization

/// The one door to stdout and stderr: every text passes the sanitizer here.
enum Terminal {
    private static let held = Mutex<(secrets: [Secret], sanitizer: Sanitizer)>(([], Sanitizer()))
    private static let shownJSON = Mutex(false)

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
    static func out(_ text: String) { Console.write(clean(text) + "\n") }

    /// A command's result as JSON on stdout; each text is cleaned on its own, so that it stays JSON.
    static func out(_ json: JSONValue) {
        shownJSON.withLock { $0 = true }
        Console.write(sanitizer.clean(json).pretty + "\n")
    }

    /// Rows as the archive holds them, which the user asked to see: the pipeline's own rules were applied to them.
    static func data(_ bytes: [UInt8]) { Console.writeBytes(bytes) }

    static func error(_ text: String) { Console.write(clean(text) + "\n", toError: true) }

    /// Progress: has its own line ends and cursor movements, which stay as they are; secrets do not.
    static func progress(_ text: String) {
        Console.write(String(decoding: sanitizer.mask(Array(text.utf8)), as: UTF8.self), toError: true)
    }

    /// What a person answers at the terminal; `nil` when the input ends.
    static func answer(to question: String) -> String? {
        progress(question)
        return readLine()
    }

    /// Help, version and completion scripts: constants of ours.
    static func help(_ text: String) { Console.write(text + "\n") }

    /// Whether the one object that `--json` promises has been printed.
    static var hasShownJSON: Bool { shownJSON.withLock { $0 } }

    /// A failure that ends the command: how to mend it, then the one last line that says what happened and where.
    ///
    /// - Parameter asJSON: scripts that asked for JSON get the same on stdout, unless the command's result, which tells it, is there.
    static func end(with fault: Fault, asJSON: Bool) {
        if asJSON, !hasShownJSON { out(["format": "cogni-error/1", "error": fault.json]) }
        if !fault.mend.isEmpty { error("  mend: " + Phrase.printable(fault.mend)) }
        error(fault.finalLine)
    }

    static var usesColor: Bool {
        Console.isTerminal(2) && Environment.all["NO_COLOR", default: ""].isEmpty && Environment.all["TERM"] != "dumb"
    }

    static var width: Int { Console.size?.width ?? 120 }
}
