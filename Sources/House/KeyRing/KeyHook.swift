internal import Model
internal import Sanitizing
internal import Sealing

/// The operator's program that stands for a KMS, asked in one JSON line and answering in one.
///
/// `{"context":{…},"data":"b64","kek":"…","op":"wrap|unwrap"}` → `{"ok":true,"data":"b64"}`, or `{"ok":false,"error":"…"}`. A program that
/// knows no JSON and prints a key in base64 will do as well; it is asked with `"op":"read"`.
struct KeyHook: Sendable {
    enum Answer: Sendable {
        /// The `data` of a JSON answer: a key, or what a KMS wrapped.
        case json(KeyBytes)
        /// Anything else.
        case text(KeyBytes)

        /// The answer as a key of 32 bytes.
        func key(_ name: String, ring path: String) throws(Fault) -> KeyBytes {
            switch self {
            case .text(let text), .json(let text):
                return try MasterKeyText.decode(text, name: name, ring: path, allowsRaw: false)
            }
        }
    }

    static let milliseconds = 10_000
    /// All that a program of the operator's gets to see of ours.
    static let environment = ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C"]
    private let words: [String]
    private let path: String

    init(_ words: [String], ring path: String) throws(Fault) {
        guard words.first?.hasPrefix("/") == true else {
            throw RingFault.of(
                "the master key command is not an absolute path",
                path,
                mend: "write \(MasterSource.commandVariable) as /path/to/program, with arguments but no shell"
            )
        }
        self.words = words
        self.path = path
    }

    /// What a program of the operator's answers to a line.
    ///
    /// - Parameters:
    ///   - kind: what messages call it.
    ///   - place: the ring that it is about.
    ///   - limit: bytes that it may write.
    static func answer(
        of words: [String],
        called kind: String,
        to line: KeyBytes,
        _ place: String,
        _ milliseconds: Int,
        limit: Int = KeyCommand.outputLimit
    ) throws(Fault) -> KeyBytes {
        do {
            return try KeyCommand.ask(
                words,
                line: line,
                environment: environment,
                milliseconds: milliseconds,
                limit: limit
            )
        } catch {
            throw RingFault.command(error, "\(kind) \(words[0])", place, limit: limit)
        }
    }

    /// - Parameter blob: what a KMS wrapped, or nothing.
    func ask(_ operation: String, kek: String, blob: String = "", milliseconds: Int = KeyHook.milliseconds)
        throws(Fault) -> Answer
    {
        let bytes = Array(blob.utf8)
        let data: KeyBytes
        do { data = try KeyBytes(copying: bytes.span) } catch { throw RingFault.sealing(error, path) }
        return try ask(operation, kek: kek, data: data, milliseconds: milliseconds)
    }

    /// - Parameter data: in base64; may be a key, and so is never anywhere but in memory of a key's kind.
    func ask(_ operation: String, kek: String, data: KeyBytes, milliseconds: Int = KeyHook.milliseconds)
        throws(Fault) -> Answer
    {
        let context: JSONValue = ["kid": .string(kek), "commit": .string(String(kek.dropFirst(4))), "tenant": ""]
        let head = Array("{\"context\":\(context.canonicalText),\"data\":\"".utf8)
        let rest: JSONValue = ["kek": .string(kek), "op": .string(operation)]
        let tail = Array("\",".utf8) + rest.canonical.dropFirst() + [0x0A]
        let line: KeyBytes
        do { line = try KeyBytes(head, data, tail) } catch { throw RingFault.sealing(error, path) }
        let answer = try KeyHook.answer(of: words, called: "master key command", to: line, path, milliseconds)
        let first = answer.withSpan { span in span.count > 0 ? span[0] : 0 }
        guard first == UInt8(ascii: "{") else { return .text(answer) }
        let json: HookAnswer?
        do { json = try HookAnswer(answer) } catch { throw RingFault.sealing(error, path) }
        guard json?.isGood == true, let data = json?.data else {
            let reason = json?.isGood == false ? json?.error : nil
            let said = reason.map { ": \(Sanitizer().complaint($0.array))" } ?? ""
            throw RingFault.of(
                "the master key command \(words[0]) did not answer {\"ok\":true,\"data\":…}\(said)",
                path,
                mend: "see what the command says when it is asked by hand"
            )
        }
        return .json(data)
    }
}
