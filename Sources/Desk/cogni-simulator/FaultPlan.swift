/// The faults of a scenario at work: which strike a request, and what they do to its answer.
struct FaultPlan: Sendable {
    private(set) var faults: [PlannedFault]
    private let noise: Noise
    /// Instants, in milliseconds, of requests let through by a `rate_window`, by template.
    private var windows: [String: [Int]] = [:]

    init(_ scenario: Scenario) {
        faults = scenario.faults
        noise = Noise(scenario.seed).with("faults")
    }

    /// Whether any fault needs to know which page a request asks for.
    func needsPage(_ target: PlannedFault.Target) -> Bool {
        faults.contains { $0.page != nil && $0.aims(at: target) }
    }

    /// The faults that strike this request, counted.
    mutating func strike(_ target: PlannedFault.Target, page: Int?, milliseconds: Int) -> [PlannedFault] {
        var struck: [PlannedFault] = []
        for index in faults.indices where faults[index].aims(at: target) {
            if faults[index].kind == .rateWindow, !isOverRate(faults[index], target, milliseconds) { continue }
            if faults[index].strikes(page: page, noise: noise.with(index)) { struck.append(faults[index]) }
        }
        return struck
    }

    private mutating func isOverRate(_ fault: PlannedFault, _ target: PlannedFault.Target, _ milliseconds: Int) -> Bool
    {
        let window = Int((fault.parameters["seconds"]?.real ?? 60) * 1000)
        var passed = (windows[target.template] ?? []).filter { $0 > milliseconds - window }
        let isOver = passed.count >= fault.parameters["limit"]?.whole ?? 7
        if !isOver { passed.append(milliseconds) }
        windows[target.template] = passed
        return isOver
    }

    /// Names and counts for `/_simulator/faults`.
    var counts: Value {
        let entries = faults.enumerated().map { number, fault -> Value in
            [
                "number": .integer(number), "fault": .string(fault.kind.rawValue), "path": .string(fault.path),
                "matched": .integer(fault.matched), "injected": .integer(fault.injected),
            ]
        }
        return ["faults": .array(entries), "injected": .integer(faults.reduce(0) { $0 + $1.injected })]
    }
}
