import Foundation
import Model
import Testing

@testable import Connector

/// A small connector in the form the tests change one line of.
let smallConnector = """
    connector: small
    base_url: https://api.example.com/v1/
    auth: { header: X-Key, variable: SMALL_KEY }
    headers: { options: { team: X-Team }, fixed: { X-Version: 2 } }
    errors: { final: [quota], history: [too_old] }
    pacing: { requests_per_minute: 60, per_path: 10 }
    streams:
      - name: teams
        mode: snapshot
        path: /teams
        parameters: { archived: true }
        pagination: { style: cursor_after_next, limit: 50, cursor: from }
        primary_key: [id]
        ignored: [kind, "a.b", ["c.d", e]]
        columns:
          - { name: id, type: string, domain: team }
          - { name: owner, path: owner.email, or: [lead.email, [x]], type: string, nullable: true, sensitivity: email }
          - name: tags
            type: json
            inner:
              - { path: "list[].by", domain: user, types: [a, b] }
      - name: spend
        mode: report
        path: /teams/{team_id}/spend
        pagination: { style: bucket_page, limit: { 1h: 24, 1d: 31 } }
        rows: data[].results[]
        parents: [{ parameter: team_id, of: teams.id, skip: { id: [x] } }]
        window: { start: from, end: to, width: step, widths: [1h, 1d], default_width: 1d, lookback: 2d, history: 30d }
        group_by:
          parameter: by
          dimensions: [model]
          refused: [{ dimensions: [model], before: 2026-01-01, certain: false, without: model, reason: new }]
        time: start
        primary_key: [start, team_id, model]
        columns:
          - { name: start, from: bucket, type: timestamp }
          - { name: team_id, from: team_id, type: string }
          - { name: model, type: string, nullable: true }
          - { name: cents, type: decimal }

    """

@Suite struct ConnectorReaderTests {
    private func read(_ text: String) -> ConnectorReader.Reading {
        ConnectorReader.read(file: "c.yaml", bytes: Array(text.utf8))
    }

    @Test func everythingInAFileArrivesInTheConnector() throws {
        let connector = try read(smallConnector).get()
        #expect(connector.name == "small")
        #expect(connector.baseURL == "https://api.example.com/v1")
        #expect(
            connector.credentialHeader == "X-Key" && connector.credentialPrefix == ""
                && connector.credentialVariable == "SMALL_KEY"
        )
        #expect(connector.optionHeaders == ["team": "X-Team"])
        #expect(connector.fixedHeaders == [.init("X-Version", "2")])
        #expect(connector.errors == .init(finalCodes: ["quota"], historyCodes: ["too_old"]))
        #expect(connector.pacing == .init(total: 60, perPath: 10))
        let teams = try #require(connector.stream("teams"))
        #expect(teams.parameters == [.init("archived", "true")])
        #expect(
            teams.pagination.cursorParameter == "from" && teams.pagination.cursorPath == ["next"]
                && teams.pagination.limitMax == 50
        )
        #expect(teams.rows.members == ["data"])
        #expect(teams.ignoredFields == [["kind"], ["a", "b"], ["c.d", "e"]])
        let owner = try #require(teams.column("owner"))
        #expect(
            owner.path == ["owner", "email"] && owner.alternatives == [["lead", "email"], ["x"]]
                && owner.sensitivity == .email
        )
        #expect(
            teams.column("tags")?.inner == [
                .init(path: ["list", "[]", "by"], sensitivity: .none, domain: "user", types: ["a", "b"])
            ]
        )
        let spend = try #require(connector.stream("spend"))
        #expect(spend.rows.members == ["data", "results"])
        #expect(
            spend.parents == [
                .init(parameter: "team_id", stream: "teams", column: "id", skip: [.init(column: "id", values: ["x"])])
            ]
        )
        #expect(spend.window?.defaultLookback == 172_800 && spend.window?.widths == ["1h", "1d"])
        #expect(spend.grouping?.refusals.first?.startBefore == 1_767_225_600)
        #expect(spend.column("team_id")?.origin == .parameter("team_id") && spend.column("start")?.origin == .bucket)
        #expect(spend.pagination.cap(width: "1h") == 24)
    }

    @Test func cursorsLieAsDeepAsTheirPathsSay() throws {
        func pages(_ more: String) throws -> Pagination {
            let text = smallConnector.replacing("limit: 50", with: "limit: 50, \(more)")
            return try #require(try read(text).get().stream("teams")).pagination
        }
        let dotted = try pages("cursor_from: paging.next, more: meta.has_more")
        #expect(dotted.cursorPath == ["paging", "next"] && dotted.morePath == ["meta", "has_more"])
        #expect(!dotted.isOmittedAtEnd)
        let listed = try pages("cursor_from: [\"@odata.next\"], omitted_at_end: true")
        #expect(listed.cursorPath == ["@odata.next"] && listed.morePath == ["has_more"] && listed.isOmittedAtEnd)
    }

    static let mistakes: [(old: String, new: String, message: String)] = [
        ("connector: small", "conector: small", "unknown key \"conector\" at the top level"),
        ("connector: small", "connector: Small!", "a connector's name has only a-z, 0-9, - and _, not \"Small!\""),
        (
            "base_url: https", "base_url: http",
            "\"base_url\" must begin with https:// (plain http only to this machine, or with `allow_plain_http: true`)"
        ),
        (
            "variable: SMALL_KEY", "variable: sk-1",
            "\"variable\" must be the name of an environment variable, such as ACME_ADMIN_KEY"
        ),
        ("auth: { header", "auth: { heder", "unknown key \"heder\" in \"auth\""),
        ("per_path: 10", "per_path: ten", "\"per_path\" must be a whole number from 1 to 1000000, not \"ten\""),
        ("mode: snapshot", "mode: snapshoot", "\"mode\" cannot be \"snapshoot\""),
        (
            "path: /teams\n", "path: teams\n",
            "\"path\" must begin with / and hold nothing that a path cannot: \"teams\""
        ),
        (
            "limit: 50", "limit: 50, cursor_from: \"data[].id\"",
            "\"cursor_from\" leads to one member, not into a list"
        ),
        ("limit: 50", "limit: 50, cursor_from: data.next", "\"cursor_from\" leads into \"data\", where the rows lie"),
        ("limit: 50", "limit: 50, more: data.more", "\"more\" leads into \"data\", where the rows lie"),
        ("limit: 50", "limit: 50, more: meta..more", "\"more\" has an empty key: \"meta..more\""),
        ("style: cursor_after_next", "style: cursor_next", "\"style\" cannot be \"cursor_next\""),
        ("limit: 50", "limit: 0", "\"limit\" must be a whole number from 1 to 1000000, not \"0\""),
        ("primary_key: [id]", "primary_key: [ID]", "the primary key names \"ID\", which is no column"),
        ("primary_key: [id]", "primary_key: []", "\"primary_key\" names no column in stream \"teams\""),
        (
            "primary_key: [id]", "primary_key: [\((0..<66).map { "c\($0)" }.joined(separator: ", "))]",
            "\"primary_key\" names 66 columns in stream \"teams\""
        ),
        ("name: owner", "name: id", "the column \"id\" stands twice in stream \"teams\""),
        ("name: owner", "name: 9th", "a column's name has letters, digits and _ and no digit first, not \"9th\""),
        ("name: owner", "name: extra", "\"extra\" is a column that every archive writes itself"),
        ("path: owner.email", "path: owner..email", "\"path\" has an empty key: \"owner..email\""),
        ("type: string, nullable: true, sens", "type: text, nullable: true, sens", "\"type\" cannot be \"text\""),
        ("nullable: true, sens", "nullable: yes, sens", "\"nullable\" must be true or false, not \"yes\""),
        ("sensitivity: email", "sensitivity: mail", "\"sensitivity\" cannot be \"mail\""),
        ("domain: team", "domain: \"my team\"", "a domain's name has only a-z, 0-9, - and _, not \"my team\""),
        ("type: json", "type: string", "the column \"tags\" has \"inner\" rules, but is no json"),
        ("name: spend", "name: teams", "the stream \"teams\" stands twice"),
        (
            "rows: data[].results[]", "rows: data.results",
            "\"rows\" must say where rows lie: `data[]`, `data[].results[]` or `.`, not \"data.results\""
        ),
        ("rows: data[].results[]", "rows: data[]", "a report's rows lie in buckets: `data[].results[]`"),
        ("of: teams.id", "of: team.id", "the parent \"team\" is no stream before this one"),
        ("of: teams.id", "of: teams.ident", "the parent \"teams\" has no column \"ident\""),
        ("of: teams.id", "of: teams", "\"of\" must be stream.column, such as projects.id"),
        ("parameter: team_id", "parameter: team", "no parent fills {team_id} of the path"),
        (
            "from: team_id", "from: team",
            "the column \"team_id\" comes from \"team\", which is no parameter of the path"
        ),
        ("default_width: 1d", "default_width: 1w", "\"default_width\" is not one of \"widths\""),
        (
            "lookback: 2d", "lookback: 2 days",
            "\"lookback\" must be a length of time such as 90s, 5m, 72h, 3d or 2w, not \"2 days\""
        ),
        ("dimensions: [model]\n", "dimensions: [modle]\n", "the dimension \"modle\" has no column"),
        ("without: model", "without: modle", "there is no dimension \"modle\""),
        ("time: start", "time: begin", "\"time\" names \"begin\", which is no column"),
        (
            "time: start", "time: model",
            "the column \"model\" decides the partition: it must be a timestamp that is never null"
        ),
        ("    time: start\n", "", "\"time\" is missing in stream \"spend\""),
        ("1h: 24", "2h: 24", "\"limit\" names the width \"2h\", which the window does not have"),
        ("streams:", "streamz:", "\"streams\" is missing at the top level"),
    ]

    @Test(arguments: mistakes) func everyMistakeIsNamed(old: String, new: String, message: String) throws {
        let range = try #require(smallConnector.range(of: old))
        let reading = read(smallConnector.replacingCharacters(in: range, with: new))
        #expect(reading.connector == nil)
        #expect(reading.diagnostics.all.map(\.message).contains(message), "\(reading.diagnostics.text)")
    }

    @Test(arguments: [
        ("https://api.example.com", nil), ("http://127.0.0.1:8080/v1", nil), ("http://localhost", nil),
        ("http://[::1]:80", nil),
        ("http://127.evil.com", "must begin"), ("http://localhost.evil.com", "must begin"),
        ("https://a@b.c", "must not hold"),
        ("https://", "names no host"), ("ftp://x", "must begin with https://"), ("https://x/?a", "must end"),
        ("https://x y", "must be plain"),
    ])
    func addressesAreSafeToSendACredentialTo(address: String, problem: String?) {
        let found = BaseURL.problem(with: address, allowPlainHTTP: false)
        if let problem { #expect(found?.hasPrefix(problem) == true) } else { #expect(found == nil) }
    }

    @Test func plainHTTPIsAllowedWhenAskedFor() {
        #expect(BaseURL.problem(with: "http://10.0.0.1/v1", allowPlainHTTP: true) == nil)
    }
}
