// Changes that happen to an organization while clients look on: what `POST /_simulator/mutate` and the fault `mutate` do.
extension Organization {
    /// `{"delete": id}`, `{"restore": id}` (what was deleted is there again), `{"rename": id, "name": text}`, `{"archive": id}`,
    /// `{"restate": "larger", "stream": "costs", "from": time, "until": time}`, or `{"seed": n}` for one of each.
    /// Returns what was done.
    mutating func mutate(_ change: Value, now: Int) throws(Scenario.Mistake) -> Value {
        try Organization.check(change)
        var done: [Value.Member] = []
        if let seed = change["seed"]?.whole { done += mutateAtRandom(Noise(UInt64(bitPattern: Int64(seed))), now: now) }
        if let id = change["delete"]?.text {
            removed.insert(id)
            done.append(.init(name: "deleted", value: .array([.string(id)])))
        }
        if let id = change["restore"]?.text {
            removed.remove(id)
            done.append(.init(name: "restored", value: .string(id)))
        }
        if let id = change["rename"]?.text {
            renamed[id] = change["name"]?.text ?? "Renamed"
            done.append(.init(name: "renamed", value: .string(id)))
        }
        if let id = change["archive"]?.text {
            archived[id] = now
            done.append(.init(name: "archived", value: .string(id)))
        }
        if let name = change["restate"]?.text {
            let kind = try Organization.restatement(name)
            let instant = { (name: String) in change[name]?.whole ?? change[name]?.text.flatMap(Moment.parse) }
            var restatement = Restatement(change: kind, stream: change["stream"]?.text ?? "*")
            restatement.from = instant("from") ?? .min
            restatement.until = instant("until") ?? .max
            restatements.append(restatement)
            done.append(.init(name: "restated", value: .string(name)))
        }
        return .object(done)
    }

    /// Refuses a change that would do nothing, or not what was meant: it has to be told where it is planned.
    static func check(_ change: Value) throws(Scenario.Mistake) {
        var isAny = false
        for member in change.members ?? [] {
            let (name, value) = (member.name, member.value)
            switch name {
            case "advance", "seed":
                guard value.whole != nil else { throw Scenario.Mistake(description: "\(name) must be a whole number") }
                isAny = true
            case "archive", "delete", "rename", "restore":
                guard value.text != nil else { throw Scenario.Mistake(description: "\(name) must be an id") }
                isAny = true
            case "restate":
                _ = try restatement(value.text ?? "")
                isAny = true
            case "name", "stream":
                guard value.text != nil else { throw Scenario.Mistake(description: "\(name) must be a text") }
            case "from", "until":
                guard value.whole ?? value.text.flatMap(Moment.parse) != nil else {
                    throw Scenario.Mistake(description: "\(name) must be a time")
                }
            default:
                let known = "advance, archive, delete, from, name, rename, restate, restore, seed, stream, until"
                throw Scenario.Mistake(description: "unknown key \"\(name)\"; allowed: \(known)")
            }
        }
        guard isAny else {
            throw Scenario.Mistake(
                description: "nothing to change; allowed: advance, archive, delete, rename, restate, restore, seed"
            )
        }
    }

    private static func restatement(_ name: String) throws(Scenario.Mistake) -> Restatement.Change {
        guard let kind = Restatement.Change(rawValue: name) else {
            let known = Restatement.Change.allCases.map(\.rawValue).joined(separator: ", ")
            throw Scenario.Mistake(description: "unknown restatement \"\(name)\"; allowed: \(known)")
        }
        return kind
    }

    private mutating func mutateAtRandom(_ noise: Noise, now: Int) -> [Value.Member] {
        var done: [Value.Member] = []
        let keys = projects.filter { $0.archivedAt == nil }.flatMap(\.keys).map(\.id).filter(stillExists)
        let members = users.dropFirst().map(\.id).filter(stillExists)
        let gone = [members, keys].filter { !$0.isEmpty }.map { noise.with("gone").pick($0) }
        removed.formUnion(gone)
        done.append(.init(name: "deleted", value: .array(gone.map(Value.string))))
        let active = projects.filter { $0.archivedAt == nil && archived[$0.id] == nil }
        if !active.isEmpty {
            let project = noise.with("rename").pick(active)
            renamed[project.id] = "Renamed \(noise.below(1000))"
            done.append(.init(name: "renamed", value: .string(project.id)))
        }
        let day = Moment.floor(now, to: Moment.day) - (1 + noise.with("day").below(3)) * Moment.day
        let kind = noise.with("kind").pick(Restatement.Change.allCases)
        restatements.append(Restatement(change: kind, from: day, until: day + Moment.day))
        done.append(.init(name: "restated", value: [.string(kind.rawValue), .integer(day)]))
        return done
    }
}
