import Console
import Model
import Sanitizing
import Synchronization

/// The one door to stdout and stderr: every text passes the sanitizer here.
enum Terminal {
    private static let sanitizer = Mutex(Sanitizer())

    /// Secrets that this process holds from now on; they are hidden in every text that follows.
    static func hide(_ secrets: [Secret]) {
        let made = Sanitizer(knownValues: secrets)
        sanitizer.withLock { $0 = made }
    }

    static func clean(_ text: String) -> String {
        let sanitizer = sanitizer.withLock { $0 }
        return sanitizer.clean(text, keepsLines: true)
    }

    static func cleanLine(_ text: String) -> String {
        let sanitizer = sanitizer.withLock { $0 }
        return sanitizer.clean(text)
    }

    /// A command's result.
    static func out(_ text: String) { Console.write(clean(text) + "\n") }

    /// JSON that holds no free text of others, or text that was cleaned before: printed on stdout.
    static func out(_ json: JSONValue) { Console.write(json.pretty + "\n") }

    /// The same for JSON whose texts may be anything: each is cleaned on its own, so that it stays JSON.
    static func out(cleaning json: JSONValue) { out(cleaned(json)) }

    private static func cleaned(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(clean(text))
        case .array(let elements): .array(elements.map(cleaned))
        case .object(let members): .object(members.map { JSONValue.Member($0.key, cleaned($0.value)) })
        case .null, .bool, .number: value
        }
    }

    /// Rows as the archive holds them, which the user asked to see: the pipeline's own rules were applied to them.
    static func data(_ bytes: [UInt8]) { Console.writeBytes(bytes) }

    static func error(_ text: String) { Console.write(clean(text) + "\n", toError: true) }

    /// Progress: has its own line ends and cursor movements, and holds names and numbers only.
    static func progress(_ text: String) { Console.write(text, toError: true) }

    static func printRaw(_ text: String, toError: Bool = false) { Console.write(text, toError: toError) }

    static func report(_ fault: Fault) { error("error: " + fault.description) }

    static var usesColor: Bool {
        Console.isTerminal(2) && Environment.all["NO_COLOR", default: ""].isEmpty && Environment.all["TERM"] != "dumb"
    }

    static var width: Int { Console.size?.width ?? 120 }
}
