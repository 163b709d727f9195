internal import Extract
internal import Model

/// What one walk, or several together, did.
struct SliceOutcome: Sendable {
    var pages = 0
    var requests = 0
    var retries = 0
    /// Time that the API took for its replies, and for how many that is known.
    var transfer: Duration = .zero
    var timed = 0
    var absent = 0
    var refused = 0
    /// Walks begun anew because their cursor was refused.
    var restarts = 0
    var refusal: Fault?
    var requestIDs: [String] = []
    var parents: [[String: String]] = []
    var fault: Fault?
    var status: Int?
    var envelope: ErrorEnvelope?
    var stopsRun = false
    /// The API's clock, when it is behind the window that was asked for.
    var serverTime: Instant?

    mutating func note(_ attempts: Attempts) {
        requests += attempts.count
        retries += attempts.retries
        transfer += attempts.transfer
        timed += attempts.timed
    }

    mutating func notePage(_ requestID: String?) {
        pages += 1
        if let requestID, requestIDs.count < 20 { requestIDs.append(requestID) }
    }

    /// A refusal that only says that there is nothing to list.
    mutating func noteAbsence(_ failure: FetchFailure, _ fault: Fault) {
        absent += failure.status == 404 ? 1 : 0
        refused += failure.status == 400 ? 1 : 0
        if failure.status == 400 { refusal = fault }
    }

    mutating func end(_ failure: FetchFailure, _ fault: Fault) {
        self.fault = fault
        status = failure.status
        envelope = failure.envelope
        stopsRun = failure.stopsRun
    }

    static func += (sum: inout SliceOutcome, more: SliceOutcome) {
        sum.pages += more.pages
        sum.requests += more.requests
        sum.retries += more.retries
        sum.transfer += more.transfer
        sum.timed += more.timed
        sum.absent += more.absent
        sum.refused += more.refused
        sum.restarts += more.restarts
        sum.refusal = sum.refusal ?? more.refusal
        sum.requestIDs = Array((sum.requestIDs + more.requestIDs).prefix(20))
        sum.parents += more.parents
    }
}
