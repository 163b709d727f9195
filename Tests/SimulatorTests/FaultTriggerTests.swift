import Testing

@testable import cogni_simulator

struct FaultTriggerTests {
    private let users = PlannedFault.Target(
        template: "/organization/users",
        path: "/organization/users",
        query: "limit=1"
    )
    private let child = PlannedFault.Target(
        template: "/organization/projects/{project_id}/users",
        path: "/organization/projects/proj_1/users",
        query: ""
    )

    /// The numbers, from 1, of those among `count` requests that the fault strikes.
    private func struck(_ json: String, count: Int = 10, page: Int? = nil) throws -> [Int] {
        var plan = FaultPlan(try Scenario(Array("{\"faults\": [\(json)]}".utf8)))
        return (1...count).filter { !plan.strike(users, page: page, milliseconds: $0).isEmpty }
    }

    @Test func `nth strikes once, and times makes it more`() throws {
        #expect(try struck("{\"fault\": \"status\", \"nth\": 3}") == [3])
        #expect(try struck("{\"fault\": \"status\", \"nth\": 3, \"times\": 2}") == [3, 4])
        #expect(try struck("{\"fault\": \"status\", \"nth\": 9, \"times\": 0}") == [9, 10])
    }

    @Test func `Without a trigger every request is struck, and times caps`() throws {
        #expect(try struck("{\"fault\": \"status\"}", count: 3) == [1, 2, 3])
        #expect(try struck("{\"fault\": \"status\", \"times\": 2}", count: 3) == [1, 2])
        #expect(try struck("{\"fault\": \"status\", \"every\": 4}") == [4, 8])
    }

    @Test func `Only requests for its page count`() throws {
        #expect(try struck("{\"fault\": \"status\", \"page\": 2, \"nth\": 2}", page: 1) == [])
        #expect(try struck("{\"fault\": \"status\", \"page\": 2, \"nth\": 2}", page: 2) == [2])
    }

    @Test func `Probability follows the scenario's seed`() throws {
        let json = "{\"fault\": \"status\", \"probability\": 0.5}"
        let first = try struck(json, count: 200)
        #expect(try struck(json, count: 200) == first)
        #expect((60...140).contains(first.count))
    }

    @Test func `The target is a template, an address or everything`() throws {
        for (path, hits) in [("*", 2), ("/organization/users", 1), (child.template, 1), (child.path, 1), ("/none", 0)] {
            var plan = FaultPlan(
                try Scenario(Array("{\"faults\": [{\"fault\": \"reset\", \"path\": \"\(path)\"}]}".utf8))
            )
            let struck = [users, child].filter { !plan.strike($0, page: nil, milliseconds: 0).isEmpty }
            #expect(struck.count == hits, "\(path)")
        }
    }

    @Test func `A rate window lets its limit through and refills`() throws {
        let json = "{\"faults\": [{\"fault\": \"rate_window\", \"limit\": 2, \"seconds\": 60}]}"
        var plan = FaultPlan(try Scenario(Array(json.utf8)))
        let instants = [0, 1000, 2000, 59_000, 60_001, 60_002, 61_001]
        let refused = instants.filter { !plan.strike(users, page: nil, milliseconds: $0).isEmpty }
        #expect(refused == [2000, 59_000, 60_002])
    }

    @Test(arguments: [
        "[]", "{\"fault\": []}", "{\"faults\": [{\"fault\": \"no_such\"}]}",
        "{\"faults\": [{\"fault\": \"reset\", \"nht\": 1}]}",
        "{\"faults\": [{\"fault\": \"reset\", \"path\": \"users\"}]}",
        "{\"faults\": [{\"fault\": \"reset\", \"nth\": 0}]}",
        "{\"faults\": [{\"fault\": \"mutate\", \"change\": {\"delte\": \"user_1\"}}]}",
        "{\"faults\": [{\"fault\": \"mutate\", \"change\": {\"seed\": 1, \"nmae\": \"x\"}}]}",
        "{\"faults\": [{\"fault\": \"mutate\", \"change\": {\"restate\": \"lager\"}}]}",
        "{\"faults\": [{\"fault\": \"mutate\", \"change\": {\"delete\": 5}}]}",
        "{\"faults\": [{\"fault\": \"mutate\", \"change\": {}}]}",
        "{\"switches\": {\"no_such\": true}}", "{\"switches\": {\"cost_values\": \"words\"}}", "{",
    ])
    func `A scenario with a mistake is refused`(json: String) {
        #expect(throws: Scenario.Mistake.self) { try Scenario(Array(json.utf8)) }
    }
}
