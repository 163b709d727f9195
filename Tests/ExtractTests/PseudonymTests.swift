import Connector
import Model
import PageMemory
import Testing

@testable import Extract

/// What a recording may show of an API's replies, and that the API is asked with what it knows.
@Suite struct PseudonymTests {
    private static let members = StreamSpec(
        name: "members",
        mode: .snapshot,
        path: "/teams/{team_id}/members",
        pagination: Pagination(style: .cursorAfterLastID, cursorParameter: "after", cursorPath: ["last_id"]),
        rows: StreamSpec.RowPlace(members: ["data"]),
        primaryKey: ["id"],
        columns: [
            column("id", .integer, domain: "user"), column("role", .string, domain: "person"),
            column("status", .string, sensitivity: .label, values: ["active"]),
            column("place", .json, sensitivity: .geolocation), column("seen_at", .timestamp, domain: "user"),
        ]
    )

    private static func column(
        _ name: String,
        _ kind: Column.Kind,
        domain: String? = nil,
        sensitivity: Column.Sensitivity = .none,
        values: [String] = []
    ) -> Column {
        var column = Column(name, path: [name], kind: kind, nullable: true)
        column.domain = domain
        column.sensitivity = sensitivity
        column.values = values
        return column
    }

    private func replies(_ bodies: String...) -> (transport: PseudonymTransport, api: Scripted) {
        let api = Scripted(bodies.map { .reply(200, [:], $0) })
        return (PseudonymTransport(api, connector: .sample([PseudonymTests.members]), mask: { $0 }), api)
    }

    private func ask(_ transport: PseudonymTransport, path: String = "/teams/1/members", after: String? = nil)
        async throws -> JSONValue
    {
        let request = Request(
            stream: "members",
            template: "/teams/{team_id}/members",
            path: path,
            query: [("limit", "100")] + (after.map { [("after", $0)] } ?? [])
        )
        return try JSONValue(parsing: try await transport.send(request).body.array)
    }

    private func one(_ row: String) async throws -> (row: JSONValue, text: String) {
        let reply = try await ask(replies(#"{"data":[\#(row)],"has_more":false}"#).transport)
        let row = try #require(reply["data"]?.elements?.first)
        return (row, row.compact)
    }

    private func digits(_ value: JSONValue?) throws -> String {
        guard case .number(let text)? = value else { throw NoNumber() }
        return text
    }

    private struct NoNumber: Error {}

    @Test func numbersThatIdentifyBecomeNumbersOfTheSameLengthWhereverTheyStand() async throws {
        let (row, text) = try await one(
            #"{"id":99887766554,"by_user_id":99887766554,"ids":["99887766554"],"note":"user 99887766554.","map":{"99887766554":1},"tokens":99887766554}"#
        )
        let id = try digits(row["id"])
        #expect(id.count == 11 && id != "99887766554" && Int(id) != nil)
        #expect(try digits(row["by_user_id"]) == id)
        #expect(row["ids"]?.elements == [.string(id)])
        #expect(row["note"]?.text == "user \(id).")
        #expect(row["map"]?[id]?.integer == 1)
        // What is called neither as the schema's member nor as an id is a count, whatever it equals.
        #expect(try digits(row["tokens"]) == "99887766554")
        #expect(!text.replacing("\"tokens\":99887766554", with: "").contains("99887766554"))
    }

    @Test func theAPIIsAskedWithTheNumbersThatItKnows() async throws {
        let page = #"{"data":[{"id":4455667}],"last_id":4455667,"has_more":true}"#
        let (transport, api) = replies(page, page)
        let first = try await ask(transport)
        let id = try digits(first["data"]?.elements?.first?["id"])
        #expect(try digits(first["last_id"]) == id)
        _ = try await ask(transport, path: "/teams/\(id)/members", after: id)
        #expect(api.sent.last?.path == "/teams/4455667/members")
        #expect(api.sent.last?.query.last?.value == "4455667")
    }

    @Test func everyNumberGetsOneOfItsOwn() async throws {
        let rows = (0..<4000).map { #"{"id":\#(100_000 + $0)}"# }.joined(separator: ",")
        let reply = try await ask(replies(#"{"data":[\#(rows)]}"#).transport)
        let ids = try (reply["data"]?.elements ?? []).map { try digits($0["id"]) }
        #expect(Set(ids).count == 4000)
        // A number that is another's stand-in is replaced all the same: nobody keeps its own but by chance.
        #expect(zip(ids, 100_000...).count { $0 == String($1) } == 0)
    }

    @Test(arguments: ["9223372036854775807", "18446744073709551615", "-123456", "52.520008", "0.127758"])
    func anInventedNumberIsOneOfTheSameKind(text: String) {
        for attempt in 0..<64 {
            let made = NumberStandIn.invent(text, attempt: attempt)
            #expect(made.count == text.count && NumberStandIn.isMeant(made), "\(made)")
            if Int(text) != nil { #expect(Int(made) != nil, "\(made)") }
            if UInt64(text) != nil { #expect(UInt64(made) != nil, "\(made)") }
        }
        #expect(NumberStandIn.invent(text, attempt: 64).count == text.count + 1)
    }

    @Test func countsTimesAndShortNumbersStay() async throws {
        let row = try await one(
            #"{"id":42,"seen_at":1764979200,"size":1234567,"place":{"longitude":13.404954,"floor":12}}"#
        ).row
        #expect(row["id"]?.integer == 42)
        #expect(row["seen_at"]?.integer == 1_764_979_200)
        #expect(row["size"]?.integer == 1_234_567)
        #expect(row["place"]?["floor"]?.integer == 12)
        #expect(try digits(row["place"]?["longitude"]) != "13.404954")
    }

    @Test func aDeclaredRoleIsReplacedAndAnUndeclaredOneOnlyLosesItsAddresses() async throws {
        let (row, text) = try await one(
            #"{"id":1,"role":"Alice Liddell bob@corp.example","type":"admin of carol@corp.example","object":"user_preferences","by":{"role":"Alice Liddell bob@corp.example"},"status":"active"}"#
        )
        #expect(!text.contains("Liddell") && !text.contains("corp.example"), "\(text)")
        #expect(row["by"]?["role"] == row["role"])
        #expect(row["type"]?.text?.hasPrefix("admin of person-") == true)
        #expect(row["object"]?.text == "user_preferences")
        #expect(row["status"]?.text == "active")
    }

    @Test func keysOfMapsLoseIdentifiersAndAddresses() async throws {
        let (row, text) = try await one(
            #"{"id":1,"role":"Alice Wonderland","by":{"carol@corp.example":3,"user-AbCdEfGh12345678":7,"Alice Wonderland":2,"user_preferences":1,"role":"member"}}"#
        )
        for real in ["Wonderland", "carol", "user-AbCdEfGh12345678"] { #expect(!text.contains(real), "\(text)") }
        #expect(row["by"]?.members?.count == 5)
        #expect(row["by"]?["user_preferences"]?.integer == 1)
        #expect(row["by"]?["role"]?.text == "member")
    }

    @Test func linksToTheNextPageAreFollowedUnderOtherNames() async throws {
        let linked = StreamSpec(
            name: "members",
            mode: .snapshot,
            path: "/members",
            pagination: Pagination(style: .linkHeader, cursorParameter: "page", cursorPath: []),
            rows: StreamSpec.RowPlace(members: ["data"]),
            primaryKey: ["id"],
            columns: [PseudonymTests.column("id", .string, domain: "user")]
        )
        let real = "https://api.example/v1/members?after=user-Zx81Qw72Lm90&page=3&state=ZXlKaGJHY2lPaUpJVXpJ1"
        let page = #"{"data":[{"id":"user-Zx81Qw72Lm90"}]}"#
        let api = Scripted([.reply(200, ["link": "<\(real)>; rel=\"next\""], page), .reply(200, [:], #"{"data":[]}"#)])
        let transport = PseudonymTransport(api, connector: .sample([linked]), mask: { $0 })
        var request = Request(stream: "members", template: "/members", path: "/members", query: [])
        let reply = try await transport.send(request)
        let next = try #require(reply.headers["link"].flatMap(LinkHeader.next))
        #expect(next.hasPrefix("https://api.example/v1/members?after="))
        #expect(next.contains("&page=3&"))
        #expect(!next.contains("Zx81Qw72Lm90") && !next.contains("ZXlKaGJHY2lPaUpJVXpJ1"))
        let id = try JSONValue(parsing: reply.body.array)["data"]?.elements?.first?["id"]?.text
        #expect(next.contains("after=\(try #require(id))&"))
        request.absoluteURL = next
        _ = try await transport.send(request)
        #expect(api.sent.last?.absoluteURL == real)
    }
}
