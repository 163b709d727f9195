package import Model

extension Fault {
    /// The last line on stderr of every command that fails: `error: <class>: <what> (<where>)`, in one line whatever they hold.
    package var finalLine: String {
        let place = place.isEmpty ? "" : " (\(place.joined(separator: " › ")))"
        return Phrase.printable("error: \(code.rawValue): \(what)\(place)")
    }
}
