/// A failure someone can act on: what happened, where, and how to mend it.
///
/// Every error that crosses from one room into another is a `Fault`. Wrappers of C libraries throw
/// their own small errors; the room that called them turns those into a `Fault`.
package struct Fault: Error, Sendable, Equatable {
    /// What kind of failure this is. Stable: exit codes, the ledger and tests depend on it.
    package enum Code: String, Sendable, CaseIterable {
        /// A difference or a failed verification was found.
        case difference
        /// The command line, the pipeline file or the connector file is wrong.
        case badPlan
        /// The API refused us: 401 or 403, or a certificate that can't be trusted.
        case denied
        /// The API could not be reached, or kept failing until the retry budget was spent.
        case unreachable
        /// The API's data broke a promise: malformed page, cursor cycle, hole in coverage, schema policy.
        case badReply
        /// A local file, folder or the state could not be written or read.
        case cannotWrite
        /// Another run holds the lock.
        case locked
        /// The pipeline is switched off.
        case disabled
        /// The key ring can't be opened, or a token can't.
        case cannotSeal
        /// SIGINT.
        case interrupted
        /// SIGTERM.
        case terminated

        /// The exit code of SPEC section 1.
        package var exitCode: Int32 {
            switch self {
            case .difference: 1
            case .badPlan: 2
            case .denied: 3
            case .unreachable: 4
            case .badReply: 5
            case .cannotWrite: 6
            case .locked: 7
            case .disabled: 8
            case .cannotSeal: 9
            case .interrupted: 130
            case .terminated: 143
            }
        }

        /// Which of two failures decides the exit code when several streams failed; the higher wins.
        package var gravity: Int {
            switch self {
            case .interrupted, .terminated: 9
            case .cannotSeal: 8
            case .cannotWrite: 7
            case .denied: 6
            case .badReply: 5
            case .unreachable: 4
            case .locked: 3
            case .disabled: 2
            case .badPlan: 1
            case .difference: 0
            }
        }
    }

    package var code: Code
    /// One sentence in the past tense, with the numbers: `GET /organization/users answered 429`.
    package var what: String
    /// From the outside in: `stream users`, `page 118`, `request req_1`. Names only; never a record's contents.
    package var place: [String]
    /// The one thing to try first. An imperative sentence that names the setting or the command.
    package var mend: String

    package init(_ code: Code, _ what: String, at place: [String] = [], mend: String) {
        self.code = code
        self.what = what
        self.place = place
        self.mend = mend
    }

    /// The same fault, seen from one room further out.
    package func within(_ outer: String) -> Fault {
        var copy = self
        copy.place.insert(outer, at: 0)
        return copy
    }
}

extension Fault: CustomStringConvertible {
    package var description: String {
        let lines = [
            "\(code.rawValue): \(what)",
            place.isEmpty ? nil : "  where: \(place.joined(separator: " › "))",
            mend.isEmpty ? nil : "  mend:  \(mend)",
        ]
        return lines.compactMap(\.self).joined(separator: "\n")
    }
}
