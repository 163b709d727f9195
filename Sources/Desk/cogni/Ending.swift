import Model
import Reporting

/// A command's end that is no success although nothing broke: its result, which has been printed, is the bad news.
///
/// What is left to say is the last line, and the exit code.
struct Ending: Error {
    let fault: Fault

    init(_ fault: Fault) { self.fault = fault }

    init(_ code: Fault.Code, _ what: String, at place: [String] = []) {
        fault = Fault(code, what, at: place, mend: "")
    }
}
