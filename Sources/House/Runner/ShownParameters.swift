internal import Connector
internal import Model
internal import Sealing
internal import Transform

/// What may stand for a parent's id in messages and run files: the id itself, or what the archive holds instead of it.
///
/// A field that is sealed in the archive must not come out through an error about the request that carried it.
struct ShownParameters: Sendable {
    private let spec: StreamSpec
    private let rules: FieldRules

    init(spec: StreamSpec, rules: FieldRules) {
        self.spec = spec
        self.rules = rules
    }

    func shown(_ parameters: [String: String]) -> [String: String] {
        var shown = parameters
        for (name, value) in parameters {
            guard let column = spec.columns.first(where: { $0.origin == .parameter(name) }) else { continue }
            switch try? rules.policy(stream: spec.name, column: column) {
            case .some(.keep): break
            case .some(.mask): shown[name] = String(decoding: FieldPolicy.masked(Array(value.utf8)), as: UTF8.self)
            case .some(.seal(let sealer)): shown[name] = (try? sealer.seal(.string, Array(value.utf8))) ?? "‹sealed›"
            case .some(.drop), .none: shown[name] = "‹hidden›"
            }
        }
        return shown
    }

    /// The fault with every raw value replaced, also where the API's own words repeat it.
    func cleaned(_ fault: Fault, _ parameters: [String: String]) -> Fault {
        let shown = shown(parameters)
        var fault = fault
        for (name, value) in parameters where shown[name] != value && !value.isEmpty {
            fault.what = fault.what.replacing(value, with: shown[name] ?? "")
            fault.place = fault.place.map { $0.replacing(value, with: shown[name] ?? "") }
        }
        return fault
    }
}
