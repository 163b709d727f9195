internal import Model

/// Replies of an invented organization, beside the starter pipeline: `--replay` runs on them anywhere, without a key.
///
/// Made from a few rules instead of stored, so that the program does not carry files of numbers around: two weeks of two
/// projects, three people, two keys. Laid out as recorded fixtures are.
package enum StarterFixture {
    /// Names relative to the fixture folder, and their texts.
    package static var files: [(name: String, text: String)] {
        let walk = "\(day(0).date)..\(day(dayCount).date)"
        return [
            ("replay.json", index), ("usage_completions/\(walk)/first.json", text(report(usage))),
            ("costs/\(walk)/first.json", text(report(costs))),
            ("projects/first.json", text(list(projects.map(project)))),
            ("users/first.json", text(list(people.map(user)))),
        ] + projects.map { ("project_api_keys/project_id=\($0.id).json", text(list([key($0)]))) }
    }

    private static let dayCount = 14
    private static let end = Instant(year: 2025, month: 12, day: 1)
    private static func day(_ number: Int) -> Instant { end - Int64(dayCount - number) * 86_400 }

    private static let projects = [
        (id: "proj_StarterSearch", name: "Search"), (id: "proj_StarterSupport", name: "Support desk"),
    ]
    private static let people = [
        (id: "user-StarterAda", name: "Ada Example", email: "ada@example.com", role: "owner"),
        (id: "user-StarterBen", name: "Ben Example", email: "ben@example.com", role: "reader"),
        (id: "user-StarterCleo", name: "Cleo Example", email: "cleo@example.com", role: "reader"),
    ]
    private static let models = ["gpt-4.1-mini", "gpt-4.1"]

    private static let index = """
        {
          "format": "cogni-fixture/1",
          "connector": "openai_admin",
          "now": "2025-12-01T06:00:00Z",
          "outside": "empty"
        }

        """

    private static func text(_ value: JSONValue) -> String { value.pretty + "\n" }

    private static func report(_ results: (_ day: Int) -> [JSONValue]) -> JSONValue {
        let buckets = (0..<dayCount).map { number -> JSONValue in
            [
                "object": "bucket", "start_time": .integer(day(number).seconds),
                "end_time": .integer(day(number + 1).seconds), "results": .array(results(number)),
            ]
        }
        return ["object": "page", "data": .array(buckets), "has_more": false, "next_page": nil]
    }

    /// Nobody works on weekends: those buckets are empty, as they are in life.
    private static func usage(_ number: Int) -> [JSONValue] {
        guard (day(number).seconds / 86_400 + 3) % 7 < 5 else { return [] }
        return projects.enumerated().flatMap { place, project in
            models.enumerated().map { kind, model in
                let requests = 40 + 17 * ((number * 3 + place * 5 + kind * 2) % 11)
                return [
                    "object": "organization.usage.completions.result", "project_id": .string(project.id),
                    "model": .string(model), "input_tokens": .integer(requests * 730),
                    "output_tokens": .integer(requests * 210), "input_cached_tokens": .integer(requests * 128),
                    "input_audio_tokens": 0, "output_audio_tokens": 0, "num_model_requests": .integer(requests),
                    "user_id": nil, "api_key_id": nil, "batch": nil, "service_tier": nil,
                ]
            }
        }
    }

    private static func costs(_ number: Int) -> [JSONValue] {
        guard (day(number).seconds / 86_400 + 3) % 7 < 5 else { return [] }
        return projects.enumerated().flatMap { place, project in
            models.enumerated().map { kind, model in
                let cents = 40 + 13 * ((number * 3 + place * 5 + kind * 2) % 11)
                let value = "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
                return [
                    "object": "organization.costs.result", "project_id": .string(project.id),
                    "line_item": .string("\(model), input"), "amount": ["value": .number(value), "currency": "usd"],
                ]
            }
        }
    }

    private static func list(_ items: [JSONValue]) -> JSONValue {
        [
            "object": "list", "data": .array(items), "first_id": items.first?["id"] ?? nil,
            "last_id": items.last?["id"] ?? nil, "has_more": false,
        ]
    }

    private static func project(_ project: (id: String, name: String)) -> JSONValue {
        [
            "object": "organization.project", "id": .string(project.id), "name": .string(project.name),
            "created_at": .integer((end - 200 * 86_400).seconds), "archived_at": nil, "status": "active",
        ]
    }

    private static func user(_ person: (id: String, name: String, email: String, role: String)) -> JSONValue {
        [
            "object": "organization.user", "id": .string(person.id), "name": .string(person.name),
            "email": .string(person.email), "role": .string(person.role),
            "added_at": .integer((end - 190 * 86_400).seconds),
        ]
    }

    private static func key(_ project: (id: String, name: String)) -> JSONValue {
        [
            "object": "organization.project.api_key", "id": .string("key_" + project.id.dropFirst(5)),
            "name": .string("\(project.name) service"), "redacted_value": "sk-…demo",
            "created_at": .integer((end - 180 * 86_400).seconds), "last_used_at": nil, "expires_at": nil,
            "owner_project_access": "active",
            "owner": [
                "type": "user",
                "user": [
                    "id": .string(people[0].id), "name": .string(people[0].name), "email": .string(people[0].email),
                    "created_at": .integer((end - 190 * 86_400).seconds), "role": "owner",
                ],
            ],
        ]
    }
}
