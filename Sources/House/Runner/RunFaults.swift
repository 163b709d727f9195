internal import Connector
internal import Model
internal import PipelineFile

/// What went wrong with a run's streams, and what it means for the whole.
struct RunFaults {
    /// The gravest first; of equals, the one that stopped the run before those of streams that were only stopped by it.
    private(set) var all: [Fault]
    private(set) var isInterrupted: Bool
    /// What was to be published, or a message, holds what may not leave: nothing of it may be kept either.
    private(set) var isLeaking: Bool
    /// Nothing is published, whatever other streams gave.
    let keepsBack: Bool

    init(_ results: [StreamResult], _ pipeline: Pipeline) {
        let causesFirst = results.filter(\.stopsRun) + results.filter { !$0.stopsRun }
        let faults = causesFirst.compactMap(\.fault)
        all = RunFaults.sorted(faults)
        isInterrupted = faults.contains { $0.code == .interrupted || $0.code == .terminated }
        isLeaking = faults.contains { $0.place.contains(OutgoingLook.place) }
        // What the disk refused one stream says nothing about the API: with the others alone, the next run could no
        // longer end as an undisturbed one.
        let isDiskBroken = faults.contains { $0.code == .cannotWrite }
        let mustStop = pipeline.streams.contains { plan in
            plan.onFailure == .stop && results.contains { $0.name == plan.spec.name && $0.fault != nil }
        }
        keepsBack = results.contains(where: \.stopsRun) || isDiskBroken || isInterrupted || isLeaking || mustStop
    }

    mutating func add(_ more: [Fault]) { all = RunFaults.sorted(all + more) }

    mutating func addLeak(_ fault: Fault) {
        isLeaking = true
        all.insert(fault, at: 0)
    }

    mutating func interrupt(_ code: Fault.Code) {
        isInterrupted = true
        all.insert(Fault(code, "the run was stopped", mend: "run again to go on"), at: 0)
    }

    private static func sorted(_ faults: [Fault]) -> [Fault] { faults.sorted { $0.code.gravity > $1.code.gravity } }
}
