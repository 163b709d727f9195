// `/_simulator/…`: what tests ask the simulator about itself, and what they make it do. No key is needed here.
extension Service {
    func control(_ request: Request) -> Reply {
        do {
            return Reply(try controlled(request))
        } catch {
            return Reply(["error": .string(error.description)], status: 400)
        }
    }

    private func controlled(_ request: Request) throws(Scenario.Mistake) -> Value {
        switch (request.method, request.path.dropFirst("/_simulator/".count)) {
        case ("GET", "health"): return ["ok": true, "now": .string(Moment.iso(clock.now))]
        case ("GET", "faults"): return plan.counts
        case ("GET", "requests"):
            return .object(requests.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .integer($0.value)) })
        case ("GET", "count"):
            guard let target = Query(request.query)?["target"] else {
                throw Scenario.Mistake(description: "count needs ?target=, an address with its query, percent-encoded")
            }
            do {
                return try count(target)
            } catch {
                throw Scenario.Mistake(description: error.message)
            }
        case ("GET", "clock"): return ["now": .string(Moment.iso(clock.now)), "unix": .integer(clock.now)]
        case ("POST", "clock"): return try setClock(try document(request))
        case ("POST", "mutate"): return try mutate(try document(request))
        case ("POST", "scenario"):
            let scenario = try Scenario(request.body)
            guard scenario.switches.isEmpty else {
                throw Scenario.Mistake(description: "switches are set at the start only; post faults and seed")
            }
            load(scenario)
            return ["faults": .integer(scenario.faults.count)]
        default:
            throw Scenario.Mistake(
                description: "unknown address; there are GET clock, count, faults, health, requests and "
                    + "POST clock, mutate, scenario"
            )
        }
    }

    private func document(_ request: Request) throws(Scenario.Mistake) -> Value {
        do {
            return try ValueReader.read(request.body)
        } catch {
            throw Scenario.Mistake(description: "the body is no JSON: \(error)")
        }
    }

    /// `{"now": time}` or `{"advance": seconds}`; the clock stands still from then on.
    private func setClock(_ change: Value) throws(Scenario.Mistake) -> Value {
        let wanted = change["now"]?.whole ?? change["now"]?.text.flatMap(Moment.parse)
        if let now = wanted ?? change["advance"]?.whole.map({ clock.now &+ $0 }), Moment.sane.contains(now) {
            clock.frozen = now
        } else {
            throw Scenario.Mistake(
                description: "clock needs \"now\" (2026-11-20T12:00:00Z or Unix seconds) or \"advance\""
            )
        }
        return ["now": .string(Moment.iso(clock.now)), "unix": .integer(clock.now)]
    }
}
