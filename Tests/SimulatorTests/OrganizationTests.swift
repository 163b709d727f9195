import Testing

@testable import cogni_simulator

struct OrganizationTests {
    private static let now = 1_795_176_000
    private static let day = Moment.day

    private func settings(_ change: (inout Settings) -> Void = { _ in }) -> Settings {
        var settings = Settings(now: Self.now)
        change(&settings)
        return settings
    }

    private func page(_ organization: Organization, _ name: String, _ query: String) throws -> Value {
        let report = try #require(Report.named(name))
        let page = try ReportPage(organization: organization, now: Self.now).page(
            report,
            try #require(Query(query)),
            space: DimensionSpace(report, organization),
            twist: []
        )
        return try ValueReader.read(page.body)
    }

    private func buckets(_ page: Value) -> [Value] { page["data"]?.list ?? [] }

    @Test func `The same settings make the same organization, another seed another`() {
        let first = Organization(settings())
        #expect(first.users.map(\.id) == Organization(settings()).users.map(\.id))
        #expect(first.users.map(\.id) != Organization(settings { $0.seed = 8 }).users.map(\.id))
    }

    @Test func `A user does not depend on how many there are`() {
        let few = Organization(settings { $0.users = 5 }).users.map(\.id)
        #expect(Organization(settings()).users.prefix(5).map(\.id) == few)
    }

    @Test(arguments: Report.all.map(\.name))
    func `A bucket's rows depend neither on the limit nor on the window`(name: String) throws {
        let organization = Organization(settings())
        let start = Self.now / Self.day * Self.day - 9 * Self.day
        let report = try #require(Report.named(name))
        let grouping = report.dimensions.map { "&group_by=\($0.rawValue)" }.joined()
        let whole = buckets(try page(organization, name, "start_time=\(start)&limit=9\(grouping)"))
        #expect(whole.count == 9)
        for shift in 0..<9 {
            let one = try page(organization, name, "start_time=\(start + shift * Self.day)&limit=1\(grouping)")
            #expect(buckets(one) == [whole[shift]])
        }
        #expect(whole.contains { !($0["results"]?.list ?? []).isEmpty })
    }

    @Test func `Coarser groupings add up to the finer ones`() throws {
        let organization = Organization(settings())
        let start = Self.now / Self.day * Self.day - 9 * Self.day
        let sums = try ["", "&group_by=model", "&group_by=user_id&group_by=project_id"].map { grouping in
            buckets(try page(organization, "usage_completions", "start_time=\(start)&limit=9\(grouping)"))
                .flatMap { $0["results"]?.list ?? [] }
                .reduce(0) { $0 + ($1["input_tokens"]?.whole ?? 0) }
        }
        #expect(sums[0] > 0)
        #expect(Set(sums).count == 1)
    }

    @Test func `Amounts are written exactly`() {
        #expect(CostRows.decimal(123_456, digits: 4) == "12.3456")
        #expect(CostRows.decimal(125_000_000_000, digits: 10) == "12.5")
        #expect(CostRows.decimal(0, digits: 10) == "0")
        #expect(CostRows.decimal(7, digits: 10) == "0.0000000007")
        #expect(CostRows.exponential(100_000) == "1e-05")
        #expect(CostRows.exponential(120_000) == "1.2e-05")
        #expect(CostRows.exponential(3) == "3e-10")
    }

    @Test func `Addresses match their templates and nothing else`() throws {
        let endpoint = try #require(Endpoint.all.first { $0.name == "project_users" && $0.style == .lastID })
        #expect(endpoint.match(["organization", "projects", "p", "users"]) == ["project_id": "p"])
        #expect(endpoint.match(["organization", "projects", "", "users"]) == nil)
        #expect(endpoint.match(["organization", "projects", "p", "user"]) == nil)
        #expect(Endpoint.all.filter { $0.style != .item }.count == 45)
        #expect(Endpoint.all.filter { $0.style == .item }.count == 23)
    }
}
