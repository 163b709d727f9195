internal import Model
internal import Sanitizing
internal import Sealing

/// A program that prints the key ring, named as `command:/path/to/program arguments` in the environment.
///
/// Like the master key's command: no shell, nothing of our environment, a deadline. It is asked `{"op":"ring"}` in one line, which it
/// need not read, and writes the ring's file as it is. What it prints can't be changed from here.
struct RingCommand {
    static let mark = "command:"
    static let milliseconds = 10_000
    /// As of a ring's file.
    static let outputLimit = 1 << 20

    private let words: [String]

    /// What messages call it: the program without its arguments.
    var name: String { RingCommand.mark + (words.first ?? "") }

    /// `nil` for a file. Whoever may write a pipeline file or a command line must not be able to start programs that way, so the
    /// whole text has to stand in the environment.
    init?(_ place: String, in environment: [String: String]) throws(Fault) {
        guard place.hasPrefix(RingCommand.mark) else { return nil }
        words = place.dropFirst(RingCommand.mark.count).split(separator: " ").map(String.init)
        guard environment.values.contains(place) else {
            throw RingFault.of(
                "a key ring's command is taken from the environment only",
                name,
                mend: "set COGNI_KEY_RING to it, and write `key_ring: ${COGNI_KEY_RING}`"
            )
        }
        guard words.first?.hasPrefix("/") == true else {
            throw RingFault.of(
                "the key ring command is not an absolute path",
                name,
                mend: "write COGNI_KEY_RING as command:/path/to/program, with arguments but no shell"
            )
        }
    }

    func read(milliseconds: Int = RingCommand.milliseconds) throws(Fault) -> RingFile {
        let question = Array("{\"op\":\"ring\"}\n".utf8)
        let line: KeyBytes
        do { line = try KeyBytes(copying: question.span) } catch { throw RingFault.sealing(error, name) }
        let answer = try KeyHook.answer(
            of: words,
            called: "key ring command",
            to: line,
            name,
            milliseconds,
            limit: RingCommand.outputLimit
        )
        return try RingFile(parsing: answer.array, name)
    }

    /// For whoever wants to change a ring: that is done to a file.
    static func refuse(_ place: String) throws(Fault) {
        guard place.hasPrefix(mark) else { return }
        throw RingFault.of(
            "a key ring that a command prints can't be changed from here",
            String(place.prefix { $0 != " " }),
            mend: "change the file that it prints, where COGNI_KEY_RING names that file"
        )
    }
}
