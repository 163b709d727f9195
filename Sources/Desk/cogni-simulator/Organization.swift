/// The simulated organization: who and what exists, all derived from the seed, minus what was deleted since the start.
struct Organization: Sendable {
    let settings: Settings
    let noise: Noise
    /// Midnight UTC before the first instant of the run; ages are counted from here.
    let origin: Int
    let id: String
    let name = "Example Research"
    let models: [String]
    let users: [User]
    let projects: [Project]
    let groups: [Group]
    let certificates: [Certificate]
    let adminKeys: [AdminKey]
    /// Ids that are gone since a mutation. Usage and events still mention them.
    var removed: Set<String> = []
    /// New names, by id, since a mutation.
    var renamed: [String: String] = [:]
    /// When a mutation archived a project, by id.
    var archived: [String: Int] = [:]
    var restatements: [Restatement] = []

    struct User: Sendable {
        var id: String
        var name: String?
        var email: String?
        var role: String?
        var addedAt: Int
        var isServiceAccount: Bool
    }

    struct Project: Sendable {
        var id: String
        var name: Value
        var createdAt: Int
        var archivedAt: Int?
        var residency: String
        var keys: [Key]
        var serviceAccounts: [ServiceAccount]
        /// Indices into `users`; never empty when there are users.
        var members: [Int]
    }

    struct Key: Sendable {
        enum Owner: Sendable { case user(Int), serviceAccount(Int) }
        var id: String
        var name: String
        var createdAt: Int
        var lastUsedAt: Int?
        var expiresAt: Int?
        var owner: Owner
        /// `owner_project_access` is `active`.
        var ownerHasAccess: Bool
        /// Shown although the request did not ask for `owner_project_access=any`.
        var shownByDefault: Bool
        var redacted: String
    }

    struct ServiceAccount: Sendable {
        var id: String
        var name: String
        var createdAt: Int
        var role: String
    }

    struct Group: Sendable {
        var id: String
        var name: String
        var createdAt: Int
        var isTenant: Bool
        var members: [Int]
    }

    struct Certificate: Sendable {
        var id: String
        var name: String?
        var createdAt: Int
        var validAt: Int
        var expiresAt: Int
    }

    struct AdminKey: Sendable {
        var id: String
        var name: String?
        var createdAt: Int
        var expiresAt: Int?
        var owner: Int
    }

    init(_ settings: Settings) {
        let noise = Noise(settings.seed)
        let origin = Moment.floor(settings.now, to: Moment.day)
        self.settings = settings
        self.noise = noise
        self.origin = origin
        id = "org-" + noise.with("organization").letters(24)
        models = Self.models(settings.models, noise.with("models"))
        let users = (0..<settings.users).map { Self.user($0, settings, noise.with("users").with($0), origin) }
        self.users = users
        projects = (0..<settings.projects).map {
            Self.project($0, settings, users.count, noise.with("projects").with($0), origin)
        }
        groups = (0..<settings.groups).map { index in
            let noise = noise.with("groups").with(index)
            return Group(
                id: "group_" + noise.letters(20),
                name: ["Data platform", "Research", "Finance", "Support", "Security"][index % 5]
                    + (index < 5 ? "" : " \(index / 5 + 1)"),
                createdAt: origin - (400 - index) * Moment.day,
                isTenant: index % 4 == 3,
                members: users.indices.filter { noise.with("member").with($0).oneIn(3) }
            )
        }
        certificates = (0..<4).map { index in
            let noise = noise.with("certificates").with(index)
            let created = origin - (300 - index * 20) * Moment.day
            return Certificate(
                id: "cert_" + noise.hexadecimal(32),
                name: index == 2 ? nil : ["build farm", "office gateway", "", "partner"][index],
                createdAt: created,
                validAt: created - Moment.day,
                expiresAt: origin + [400, 12, 90, -3][index] * Moment.day  // one soon, one already over
            )
        }
        adminKeys = (0..<(users.isEmpty ? 0 : 3)).map { index in
            let noise = noise.with("admin keys").with(index)
            return AdminKey(
                id: "key_" + noise.letters(16),
                name: index == 2 ? nil : ["terraform", "billing export"][index],
                createdAt: origin - (200 - index) * Moment.day,
                expiresAt: index == 1 ? origin + 60 * Moment.day : nil,
                owner: index % users.count
            )
        }
    }

    func stillExists(_ id: String) -> Bool {
        !removed.contains(id)
    }

    func project(_ id: String) -> Project? {
        removed.contains(id) ? nil : projects.first { $0.id == id }
    }

    func projectName(_ project: Project) -> Value {
        renamed[project.id].map(Value.string) ?? project.name
    }
}
