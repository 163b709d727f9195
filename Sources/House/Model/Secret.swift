/// A value that must not reach a log, a manifest or an error message.
///
/// Prints as `‹redacted›` however it is printed. Call ``reveal()`` where it goes over the wire.
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What the secret is called, for messages: the environment variable or the file it came from.
    package let name: String
    private let value: String

    package init(_ value: String, name: String) {
        self.value = value
        self.name = name
    }

    package func reveal() -> String { value }
    package var isEmpty: Bool { value.isEmpty }
    package var description: String { "‹redacted›" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
