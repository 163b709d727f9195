import Connector
import Model

/// A command's end that is no success although nothing broke: its result, which has been printed, is the bad news.
///
/// What is left to say is the last line, and the exit code.
struct Ending: Error {
    let fault: Fault
    /// What the file's mistakes are, for scripts; people have been shown them.
    let diagnostics: Diagnostics?

    init(_ fault: Fault) {
        self.fault = fault
        diagnostics = nil
    }

    /// A file that can't be worked with.
    init(_ diagnostics: Diagnostics, in file: String) {
        fault = Fault(.badPlan, diagnostics.summary, at: [file], mend: "")
        self.diagnostics = diagnostics
    }

    init(_ code: Fault.Code, _ what: String, at place: [String] = []) {
        fault = Fault(code, what, at: place, mend: "")
        diagnostics = nil
    }

    /// What JSON that tells of this end says beside its fault.
    var members: [JSONValue.Member] { diagnostics?.json.members ?? [] }
}
