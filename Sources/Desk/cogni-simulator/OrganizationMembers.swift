// How one user, project, key and model is made from its noise.
extension Organization {
    static func user(_ index: Int, _ settings: Settings, _ noise: Noise, _ origin: Int) -> User {
        let first = noise.with("first").pick(firstNames)
        let last = noise.with("last").pick(lastNames)
        let isServiceAccount = index % 13 == 12
        let ascii = (first + "." + last).lowercased().filter { $0.isASCII && ($0.isLetter || $0 == ".") }
        return User(
            id: "user-" + noise.with("id").letters(24),
            name: index % 11 == 10 ? nil : isServiceAccount ? "Automation \(index)" : "\(first) \(last)",
            email: index % 17 == 16 ? nil : "\(ascii)\(index)@example.com",
            role: index == 0 ? "owner" : index % 19 == 18 ? nil : noise.with("role").oneIn(6) ? "owner" : "reader",
            addedAt: origin - (700 - index % 600) * Moment.day + noise.with("added").below(Moment.day),
            isServiceAccount: isServiceAccount
        )
    }

    static func project(_ index: Int, _ settings: Settings, _ users: Int, _ noise: Noise, _ origin: Int) -> Project {
        let created = origin - (600 - index % 500) * Moment.day + noise.with("created").below(Moment.day)
        let isArchived = index % 7 == 5
        let accounts = (0..<2).map { number in
            let noise = noise.with("service accounts").with(number)
            return ServiceAccount(
                id: "user-" + noise.letters(24),
                name: ["nightly", "web backend"][number],
                createdAt: created + (number + 1) * Moment.day,
                role: ["member", "owner", "none"][noise.with("role").below(3)]
            )
        }
        var members = (0..<users).filter { noise.with("member").with($0).oneIn(3) }
        if members.isEmpty, users > 0 { members = [index % users] }
        let keys = (0..<settings.keys).map { number in
            let noise = noise.with("keys").with(number)
            let isService = number % 3 == 2 || members.isEmpty
            let secret = noise.with("secret").letters(6)
            return Key(
                id: "key_" + noise.with("id").letters(16),
                name: ["laptop", "production", "batch jobs", "evaluation"][number % 4]
                    + (number < 4 ? "" : " \(number)"),
                createdAt: created + (number + 3) * Moment.day,
                lastUsedAt: noise.with("used").oneIn(5) ? nil : origin - noise.with("used").below(20 * Moment.day),
                expiresAt: noise.with("expires").oneIn(4) ? origin + 30 * Moment.day : nil,
                owner: isService ? .serviceAccount(number % 2) : .user(noise.with("owner").pick(members)),
                ownerHasAccess: !noise.with("access").oneIn(4),
                shownByDefault: !noise.with("shown").oneIn(4),
                redacted: "sk-proj-\(secret.prefix(3))***\(secret.suffix(3))"
            )
        }
        return Project(
            id: "proj_" + noise.with("id").letters(24),
            name: projectName(index, settings.switches, noise),
            createdAt: created,
            archivedAt: isArchived ? origin - (10 + index % 30) * Moment.day : nil,
            residency: ["GLOBAL", "GLOBAL", "EU_STORAGE_PROCESSING", "US_STORAGE_PROCESSING"][
                noise.with("place").below(4)
            ],
            keys: keys,
            serviceAccounts: accounts,
            members: members
        )
    }

    private static func projectName(_ index: Int, _ switches: Switches, _ noise: Noise) -> Value {
        if switches.secretsInText, index == 0 {
            return .string("deploy sk-proj-CANARY\(noise.with("canary").letters(40))")
        }
        if switches.strangeNames, index < strangeNames.count { return strangeNames[index] }
        let topic = noise.with("topic").pick([
            "Search", "Chat", "Billing", "Agents", "Evaluation", "Voice", "Translation",
        ])
        let place = noise.with("place").pick(["production", "staging", "sandbox", "research"])
        return .string(index == 3 ? "Search, “beta” & \"more\"" : "\(topic) \(place) \(index)")
    }

    /// What a name may hold and a careless reader loses: see the names of the cases on the right.
    static let strangeNames: [Value] = [
        "👩‍👩‍👧‍👦 family",  // joined with U+200D
        "مشروع البحث",  // right to left
        "e\u{0301}te\u{0301}",  // decomposed
        "\u{E9}t\u{E9}",  // the same, composed
        "line\u{2028}separator",
        .raw("\"nul \\u0000 inside\""),
        .raw("\"lone \\ud83d surrogate\""),
        .string(String(repeating: "very long ", count: 1000)),
        "",
        .null,
        "Twin",
        "Twin",
        "=HYPERLINK(\"http://example.com\")",
        "comma, \"quote\"\nnewline; C:\\path\t",
        "a\u{200F}\u{202E}b\u{FEFF}",
    ]

    static func models(_ count: Int, _ noise: Noise) -> [String] {
        let known = [
            "gpt-5.1-2025-11-13", "gpt-5-mini-2025-08-07", "gpt-4o-2024-08-06", "o4-mini-2025-04-16",
            "gpt-4o-mini-2024-07-18", "ft:gpt-4o-mini-2024-07-18:example::B1xYz", "gpt-image-1",
            "gpt-4o-mini-tts", "whisper-1", "gpt-realtime-2025-08-28",
        ]
        return (0..<count).map {
            $0 < known.count ? known[$0] : "ft:gpt-4o-mini-2024-07-18:example::\(noise.with($0).letters(8))"
        }
    }

    private static let firstNames = [
        "Ada", "Bela", "Chidi", "Dagný", "Emre", "Fatima", "Grace", "Hiro", "Inés", "Jonas", "Katarína", "Liam", "Mei",
        "Noor", "Olga", "Priya", "Quentin", "Rosa", "Søren", "Tunde", "Uma", "Viktor", "Wanjiru", "Ximena", "Yusuf",
        "Zoë",
    ]
    private static let lastNames = [
        "Abe", "Brown", "Castillo", "Dąbrowski", "Eze", "Fischer", "García", "Horváth", "Ibrahim", "Jensen", "Kim",
        "Larsson", "Mensah", "Nguyen", "O'Neil", "Park", "Quispe", "Rossi", "Singh", "Tanaka", "Urban", "Vega", "Wu",
    ]
}
