/// A command for the user to type next: `cogni run 'my pipeline.yaml' --output /data`.
///
/// It carries on what was typed before it, or it would be about another output. Words are quoted as a shell needs it.
struct TypedCommand: CustomStringConvertible {
    private(set) var description: String

    /// - Parameters:
    ///   - command: such as `state rebuild`.
    ///   - arguments: paths and names.
    init(_ command: String, _ arguments: String...) {
        description = (["cogni " + command] + arguments.map(TypedCommand.quoted)).joined(separator: " ")
    }

    /// An option as it was given; `nil` leaves it out.
    func with(_ option: String, _ value: String?) -> TypedCommand {
        guard let value else { return self }
        var longer = self
        longer.description += " \(option) \(TypedCommand.quoted(value))"
        return longer
    }

    func with(_ flag: String, if isGiven: Bool) -> TypedCommand {
        guard isGiven else { return self }
        var longer = self
        longer.description += " " + flag
        return longer
    }

    /// Letters of any language stand for themselves in every shell; what else is not known to do so is quoted.
    static func quoted(_ word: String) -> String {
        let isPlain = word.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ("0"..."9").contains($0) || "_@%+=:,./-".unicodeScalars.contains($0)
        }
        if isPlain, !word.isEmpty { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
