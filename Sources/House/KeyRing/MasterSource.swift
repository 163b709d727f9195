package import Model
internal import Sealing

/// Where the master key comes from that wraps a ring's data keys.
package enum MasterSource: Sendable {
    /// `COGNI_MASTER_KEY_FILE`: 32 raw bytes, or their base64.
    case file(String)
    /// `COGNI_MASTER_KEY_CREDENTIAL`: a name below `$CREDENTIALS_DIRECTORY`, where systemd's `LoadCredential=` puts it.
    case credential(path: String)
    /// `COGNI_MASTER_KEY_FD`: an open file descriptor.
    case descriptor(Int32)
    /// `COGNI_MASTER_KEY`: 32 bytes in base64.
    case inline(Secret)
    /// `COGNI_MASTER_KEY_COMMAND`: an absolute path and arguments, the door for a KMS.
    case command([String])
    /// Nothing was set: `<ring>.master`, made with the ring.
    case beside(String)

    static let fileVariable = "COGNI_MASTER_KEY_FILE"
    static let credentialVariable = "COGNI_MASTER_KEY_CREDENTIAL"
    static let descriptorVariable = "COGNI_MASTER_KEY_FD"
    static let inlineVariable = "COGNI_MASTER_KEY"
    static let commandVariable = "COGNI_MASTER_KEY_COMMAND"
    /// The credential that is taken when it is there and nothing else is named.
    static let usualCredential = "cogni-master-key"

    private static let variables = [
        fileVariable, credentialVariable, descriptorVariable, inlineVariable, commandVariable,
    ]

    /// What the environment says for the ring at `path`. Throws `.cannotSeal` when it says two things.
    package static func find(in environment: [String: String], ring path: String) throws(Fault) -> MasterSource {
        let set = variables.filter { !(environment[$0] ?? "").isEmpty }
        guard set.count <= 1 else {
            throw RingFault.of(
                "there is more than one master key: \(set.joined(separator: " and ")) are set",
                path,
                mend: "unset all but one"
            )
        }
        guard let name = set.first, let value = environment[name] else {
            if let usual = usual(in: environment) { return .credential(path: usual) }
            return .beside(path + ".master")
        }
        switch name {
        case fileVariable: return .file(value)
        case credentialVariable: return try credential(value, in: environment, ring: path)
        case descriptorVariable: return try descriptor(value, ring: path)
        case inlineVariable: return .inline(Secret(value, name: name))
        default: return command(value)
        }
    }

    package static func command(_ text: String) -> MasterSource {
        .command(text.split(separator: " ").map(String.init))
    }

    package static func descriptor(_ text: String, ring path: String) throws(Fault) -> MasterSource {
        guard let number = Int32(text), number > 2 else {
            throw RingFault.of(
                "the master key's file descriptor is not a number above 2",
                path,
                mend: "open the key for cogni alone, as in `\(descriptorVariable)=9 cogni run … 9< key`"
            )
        }
        return .descriptor(number)
    }

    package static func credential(_ name: String, in environment: [String: String], ring path: String) throws(Fault)
        -> MasterSource
    {
        guard let folder = environment["CREDENTIALS_DIRECTORY"], folder.hasPrefix("/") else {
            throw RingFault.of(
                "a credential is named and CREDENTIALS_DIRECTORY is not set",
                path,
                mend: "start cogni from a systemd unit with `LoadCredential=\(name):/path/to/key`"
            )
        }
        guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
            throw RingFault.of(
                "the master key's credential is not a plain name",
                path,
                mend: "write the name that stands before the colon of `LoadCredential=`"
            )
        }
        return .credential(path: "\(folder)/\(name)")
    }

    private static func usual(in environment: [String: String]) -> String? {
        guard let folder = environment["CREDENTIALS_DIRECTORY"], folder.hasPrefix("/") else { return nil }
        let path = "\(folder)/\(usualCredential)"
        do { _ = try PrivateFile.read(path, limit: 4096) } catch PrivateFileError.missing { return nil } catch {}
        return path
    }

    /// What to call it in messages.
    var name: String {
        switch self {
        case .file(let path), .beside(let path): "master key file \(path)"
        case .credential(let path): "master key credential \(path)"
        case .descriptor(let number): "master key in file descriptor \(number)"
        case .inline: "master key in \(MasterSource.inlineVariable)"
        case .command(let words): "master key command \(words.first ?? "")"
        }
    }

    /// The file that a master key may be replaced in, by a new one of ours.
    var ownFile: String? {
        switch self {
        case .file(let path), .beside(let path): path
        case .credential, .descriptor, .inline, .command: nil
        }
    }
}

/// Reads a master key from its text, and says what is wrong with it without showing any of it.
enum MasterKeyText {
    /// - Parameter allowsRaw: Whether 32 bytes may stand for themselves, as in a file.
    static func decode(_ content: KeyBytes, name: String, ring path: String, allowsRaw: Bool) throws(Fault) -> KeyBytes
    {
        let key: KeyBytes
        do {
            key = try decoded(content, name: name, ring: path, allowsRaw: allowsRaw)
        } catch let fault as Fault {
            throw fault
        } catch {
            throw RingFault.of("the \(name) could not be kept in memory", path, mend: "try again")
        }
        if key.withSpan({ span in span.indices.allSatisfy { span[$0] == 0 } }) {
            throw RingFault.of("the \(name) is all zeros", path, mend: "make one with `openssl rand -base64 32`")
        }
        return key
    }

    private static func decoded(_ content: KeyBytes, name: String, ring path: String, allowsRaw: Bool) throws
        -> KeyBytes
    {
        let count = content.count
        let lineEnds = content.withSpan { span in span.count > 0 && span[span.count - 1] == 0x0A }
        let isPrintable = content.withSpan { span in
            span.indices.allSatisfy { span[$0] > 0x20 && span[$0] < 0x7F || $0 == span.count - 1 && span[$0] == 0x0A }
        }
        if count == 32, !isPrintable {
            if allowsRaw { return content }
        } else if isPrintable {
            let length = lineEnds ? count - 1 : count
            let key = content.withSpan { span in
                Result { () throws(SealingError) -> KeyBytes? in
                    let text = span.extracting(0..<length)
                    if let key = try Base64.standard.decodeKey(text) { return key }
                    return try Base64.url.decodeKey(text)
                }
            }
            if let key = try key.get(), key.count == 32 { return key }
        }
        let hint: String
        switch (count, isPrintable, lineEnds) {
        case (0, _, _): hint = "it is empty"
        case (33, false, true): hint = "32 bytes and a line end, which must go"
        case (64...65, true, _): hint = "\(count) bytes; did you mean base64? This looks like hex"
        default: hint = "\(count) bytes; did you mean base64?"
        }
        throw RingFault.of(
            "the \(name) is not a key: \(hint)",
            path,
            mend:
                "give 32 random bytes\(allowsRaw ? ", raw or" : "") as base64, 44 characters: `openssl rand -base64 32`"
        )
    }
}
