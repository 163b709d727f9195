package import Model

/// Everything that is to say about one or more files, in the order of the files.
package struct Diagnostics: Sendable {
    package private(set) var all: [Diagnostic] = []

    package init(_ all: [Diagnostic] = []) { self.all = all }

    package var hasErrors: Bool { all.contains { $0.severity == .error } }
    package var isEmpty: Bool { all.isEmpty }
    package func count(_ severity: Diagnostic.Severity) -> Int { all.count { $0.severity == severity } }

    package static func += (a: inout Diagnostics, b: Diagnostics) { a.all += b.all }

    /// For people: every diagnostic with its excerpt, no newline at the end; empty when there is none.
    package var text: String { all.map(\.text).joined(separator: "\n") }

    /// `2 mistakes, 1 warning`, or `no mistakes`.
    package var summary: String {
        func counted(_ number: Int, _ word: String) -> String? {
            number == 0 ? nil : number == 1 ? "1 \(word)" : "\(number) \(word)s"
        }
        let parts = [
            counted(count(.error), "mistake"), counted(count(.warning), "warning"), counted(count(.note), "note"),
        ]
        let said = parts.compactMap(\.self).joined(separator: ", ")
        return said.isEmpty ? "no mistakes" : said
    }

    /// The files that have a mistake, each once, in their order.
    package var filesWithMistakes: [String] {
        all.reduce(into: []) { files, one in
            if one.severity == .error, !files.contains(one.file) { files.append(one.file) }
        }
    }

    /// What a command throws that cannot go on: all the mistakes, in the form of ``text``.
    package var fault: Fault? {
        guard hasErrors else { return nil }
        let mistakes = count(.error)
        return Fault(
            .badPlan,
            "\(all.first { $0.severity == .error }?.file ?? "the file") has \(mistakes) mistake\(mistakes == 1 ? "" : "s")\n\(text)",
            mend: "correct the file; `cogni validate` finds all mistakes at once"
        )
    }
}
