/// Collects what is to say about one file while it is read, and turns it into diagnostics with excerpts.
///
/// Lives for one read, on one task. Nothing stops at the first mistake: readers go on with what they have.
package final class FileReport {
    package let file: String
    private var lines = SourceLines()
    private var found: [Diagnostic] = []
    /// Text between these places must not be shown: a credential that looks like nothing in particular.
    private var hidden: [Place] = []
    private var hidesEverything = false
    private var isUnread = false

    /// Fills in variables; `nil` when that failed and was reported. Connector files have none.
    package var expand: (_ text: String, _ place: Place) -> String?

    package init(file: String) {
        self.file = file
        expand = { text, _ in text }
    }

    func take(_ lines: SourceLines) { self.lines = lines }

    package func error(
        _ code: Diagnostic.Code,
        _ message: String,
        at place: Place?,
        hint: String? = nil,
        allowed: [String] = []
    ) { say(.error, code, message, at: place, hint: hint, allowed: allowed) }

    package func warn(_ code: Diagnostic.Code, _ message: String, at place: Place?, hint: String? = nil) {
        say(.warning, code, message, at: place, hint: hint, allowed: [])
    }

    package func note(_ code: Diagnostic.Code, _ message: String, at place: Place?, hint: String? = nil) {
        say(.note, code, message, at: place, hint: hint, allowed: [])
    }

    private func say(
        _ severity: Diagnostic.Severity,
        _ code: Diagnostic.Code,
        _ message: String,
        at place: Place?,
        hint: String?,
        allowed: [String]
    ) {
        found.append(Diagnostic(severity, code, message, file: file, at: place, hint: hint, allowed: allowed))
    }

    /// From here on no excerpt shows the value at `place`, however it was written.
    package func hide(_ value: String, at place: Place) {
        guard !value.isEmpty, !hidesEverything else { return }
        // No secret has so many pieces, and each is looked for in a line that can be long.
        guard hidden.count < 100 else {
            hidesEverything = true
            return
        }
        let rest = lines.line(place.line).unicodeScalars.dropFirst(place.column - 1)
        // A value that goes on over several lines or was escaped can't be found again in the text.
        if String(String.UnicodeScalarView(rest)).contains(value) {
            hidden.append(place)
        } else {
            hidesEverything = true
        }
    }

    package func hideEverything() { hidesEverything = true }

    /// The file has no tree, so that nobody knows what in it is a secret.
    func hideUnread() { isUnread = true }

    /// Hides what stands behind a key that nobody reads where it may be a secret, and in what is below the key too.
    package func hideSecrets(behind entry: YAMLNode.Entry, nearest: String? = nil) {
        hideSecrets(in: entry.value, isSecret: SecretKeys.tell(entry.key, nearest: nearest))
    }

    private func hideSecrets(in node: YAMLNode, isSecret: Bool) {
        switch node.content {
        case .text(let text, _): if isSecret, !SecretKeys.isReference(text) { hide(text, at: node.place) }
        case .list(let elements): for element in elements { hideSecrets(in: element, isSecret: isSecret) }
        case .map(let entries):
            for entry in entries {
                if isSecret { hide(entry.key, at: entry.keyPlace) }
                hideSecrets(in: entry.value, isSecret: isSecret || SecretKeys.tell(entry.key))
            }
        }
    }

    /// A value as a message may repeat it: in quotes, on one line, not long, and never a secret.
    package func quoted(_ text: String) -> String {
        let shown = FileReport.harmless(SecretShapes.starred(text))
        return shown.count > 60 ? "\"\(shown.prefix(57))...\"" : "\"\(shown)\""
    }

    /// All of it in the order of the file.
    package var diagnostics: Diagnostics {
        let sorted = found.enumerated().sorted { a, b in
            let left = a.element.place, right = b.element.place
            if left?.line != right?.line { return (left?.line ?? 0) < (right?.line ?? 0) }
            if left?.column != right?.column { return (left?.column ?? 0) < (right?.column ?? 0) }
            return a.offset < b.offset
        }
        return Diagnostics(
            sorted.map { _, one in
                var copy = one
                copy.message = FileReport.harmless(one.message)
                copy.excerpt = excerpt(around: one.place)
                return copy
            }
        )
    }

    private func excerpt(around place: Place?) -> [Diagnostic.Line] {
        guard let place, !hidesEverything, (1...lines.count).contains(place.line) else { return [] }
        if isUnread {
            let text = ShownLine.ofNoYAML(SecretShapes.starred(lines.line(place.line)), stoppedAt: place.column)
            return [.init(number: place.line, text: FileReport.showable(text))]
        }
        return [place.line - 1, place.line].filter { $0 >= 1 }.map { .init(number: $0, text: shown($0)) }
    }

    private func shown(_ number: Int) -> String {
        var scalars = Array(SecretShapes.starred(ShownLine.withoutComment(lines.line(number))).unicodeScalars)
        for place in hidden where place.line == number {
            for index in (place.column - 1)..<max(place.column - 1, scalars.count) where index < scalars.count {
                scalars[index] = "*"
            }
        }
        return FileReport.showable(String(String.UnicodeScalarView(scalars)))
    }

    private static func showable(_ text: String) -> String {
        harmless(String(String.UnicodeScalarView(text.unicodeScalars.prefix(200))))
    }

    /// Control and direction characters would let a file draw on the reader's terminal.
    private static func harmless(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHarmful) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isHarmful($0) ? "\u{FFFD}" : $0 }))
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09: false
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
