/// Every combination of dimension values that a report's rows can have, numbered; a bucket's rows are some of these numbers.
///
/// Who spent comes as one thing, a *slot*: a key of a project with the key's owner, the project's dashboard (no key), or a key
/// and a user that were deleted long ago. The other dimensions multiply freely.
struct DimensionSpace {
    /// One dimension's part of a combination.
    struct Axis {
        var dimension: Report.Dimension
        /// JSON texts; `null` is one of them where part of the usage has no such attribute.
        var values: [[UInt8]]
        /// The same, undecorated, for filters.
        var plain: [String?]
    }

    struct Slot {
        var project: Int
        var user: Int
        var key: Int
    }

    let axes: [Axis]
    let slots: [Slot]
    /// Texts of `Slot.project`, `.user` and `.key`.
    private(set) var projects: Axis
    private(set) var users: Axis
    private(set) var keys: Axis
    /// How many combinations there are; 0 in an empty organization.
    let count: Int

    init(_ report: Report, _ organization: Organization) {
        var projects = Axis(dimension: .project, values: [], plain: [])
        var users = Axis(dimension: .user, values: [], plain: [])
        var keys = Axis(dimension: .key, values: [], plain: [])
        var userPlaces: [String: Int] = [:]
        var slots: [Slot] = []
        users.add(nil)
        keys.add(nil)
        let byKey = report.dimensions.contains(.key) || report.dimensions.contains(.user)
        for project in organization.projects {
            projects.add(project.id)
            let place = projects.values.count - 1
            guard byKey else {
                slots.append(Slot(project: place, user: 0, key: 0))
                continue
            }
            for key in project.keys {
                keys.add(key.id)
                var user = 0
                if case .user(let index) = key.owner {
                    user = users.place(of: organization.users[index].id, among: &userPlaces)
                }
                slots.append(Slot(project: place, user: user, key: keys.values.count - 1))
            }
            let noise = organization.noise.with(project.id)
            if let member = project.members.first {
                let user = users.place(of: organization.users[member].id, among: &userPlaces)
                slots.append(Slot(project: place, user: user, key: 0))
            }
            keys.add("key_" + noise.with("gone").letters(16))
            let gone = users.place(of: "user-" + noise.with("gone").letters(24), among: &userPlaces)
            slots.append(Slot(project: place, user: gone, key: keys.values.count - 1))
        }
        axes = report.dimensions.compactMap { Self.axis($0, report, organization) }
        count = axes.reduce(slots.count) { $0 * $1.values.count }
        (self.projects, self.users, self.keys, self.slots) = (projects, users, keys, slots)
    }

    private static func axis(_ dimension: Report.Dimension, _ report: Report, _ organization: Organization) -> Axis? {
        let values: [String?]
        switch dimension {
        case .project, .user, .key: return nil
        case .model: values = models(report, organization)
        case .batch:
            let flags = [Array("false".utf8), Array("true".utf8)]
            return Axis(dimension: .batch, values: flags, plain: ["false", "true"])
        case .tier: values = ["default", "flex", "priority", nil]
        case .apiSource: values = ["unlabeled", "agents_api"]
        case .vectorStore: values = (0..<4).map { "vs_" + organization.noise.with("stores").with($0).hexadecimal(32) }
        case .size: values = ["1024x1024", "1792x1024", "256x256", "auto", nil]
        case .source: values = ["image.generation", "image.edit", nil]
        case .contextLevel: values = ["low", "medium", "high", nil]
        case .lineItem: values = CostRows.lineItems(organization).map(\.name)
        }
        var axis = Axis(dimension: dimension, values: [], plain: [])
        for value in values { axis.add(value) }
        return axis
    }

    private static func models(_ report: Report, _ organization: Organization) -> [String?] {
        switch report.name {
        case "usage_embeddings": ["text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002-v2"]
        case "usage_moderations": ["omni-moderation-latest"]
        case "usage_images": ["gpt-image-1", "dall-e-3", nil]
        case "usage_audio_speeches": ["tts-1", "gpt-4o-mini-tts"]
        case "usage_audio_transcriptions": ["whisper-1", "gpt-4o-transcribe"]
        default: organization.models
        }
    }
}

extension DimensionSpace.Axis {
    mutating func add(_ value: String?) {
        values.append(Value.optional(value).json)
        plain.append(value)
    }

    mutating func place(of value: String, among places: inout [String: Int]) -> Int {
        if let place = places[value] { return place }
        add(value)
        places[value] = values.count - 1
        return values.count - 1
    }
}
