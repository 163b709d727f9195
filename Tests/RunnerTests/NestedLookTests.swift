import Connector
import Model
import Testing
import Transform

@testable import Runner

private let connectorText = """
    connector: toy
    base_url: https://toy.example/v1
    auth: { header: Authorization, prefix: "Bearer ", variable: TOY_KEY }
    streams:
      - name: events
        mode: snapshot
        path: /events
        pagination: { style: cursor_after_last_id }
        rows: "data[]"
        primary_key: [id]
        columns:
          - { name: id, type: string, domain: event }
          - { name: type, type: string }
          - { name: email, type: string, nullable: true, domain: email }
          - name: people
            type: json
            inner:
              - { path: "[].name", domain: person }
              - { path: "*.note", sensitivity: label }
          - { name: payload, path: "{type}", type: json, nullable: true, inner: [{ path: owner, domain: person, types: [made] }] }
    """

/// What the last look says of lines that an earlier step left in the clear.
private func look(at stream: String, _ lines: String, _ format: CellText.Format = .ndjson, sealed: [String]) throws
    -> Fault?
{
    let connector = try ConnectorReader.read(file: "toy.yaml", bytes: Array(connectorText.utf8)).get()
    let spec = try #require(connector.stream("events"))
    var rules = FieldRules(maskSecrets: { _ in nil })
    rules.sealedFields = sealed
    rules.rules = ["note": .drop]
    let columns =
        switch stream {
        case "events_changes": ChangeColumns.columns(of: spec.archiveColumns, primaryKey: ["id"])
        case "events_restatements": RestatementLedger.columns(of: spec.archiveColumns, primaryKey: ["id"])
        default: spec.archiveColumns
        }
    let reader = ArchiveLine(format: format, columns: columns, primaryKey: ["id"], timeColumn: nil)
    let look = OutgoingLook(stream: stream, of: spec, reader: reader, gate: nil, rules: rules)
    let bytes = Array(lines.utf8)
    do throws(Fault) {
        try look.check(bytes, count: bytes.count)
        return nil
    } catch { return error }
}

private let token = "ef1.s.aaaaaaaaaa.AAAAAAAAAAAAAAAAAAAAAAAA"

private func row(
    id: String = token,
    email: String = "null",
    people: String = "[]",
    payload: String = "null",
    type: String = "made"
)
    -> String
{
    #"{"id":"\#(id)","type":"\#(type)","email":\#(email),"people":\#(people),"payload":\#(payload),"deleted_at":null,"extra":null}"#
        + "\n"
}

@Test(arguments: [
    (#"[{"name":"Ada Lovelace"}]"#, "people.[].name"), (#"[{"name":"\#(token)"},{"name":"Ada"}]"#, "people.[].name"),
    (#"{"anyone":{"note":"Ada"}}"#, "people.*.note"), (#"[{"name":12}]"#, "people.[].name"),
])
func aValueInsideOfAColumnThatShouldBeProtectedIsToldByItsPlaceOnly(people: String, place: String) throws {
    let fault = try #require(try look(at: "events", row() + row(people: people), sealed: ["domain:person"]))
    #expect(fault.what.contains("column \(place) of stream events"))
    #expect(!fault.description.contains("Ada"))
    #expect(fault.place.contains(OutgoingLook.place))
}

@Test func whatIsProtectedAndWhatNobodyProtectsGoThrough() throws {
    let good = #"[{"name":"\#(token)","other":"Ada"},{"name":null}]"#
    #expect(try look(at: "events", row(people: good), sealed: ["domain:person"]) == nil)
    #expect(try look(at: "events", row(people: #"[{"name":"Ada"}]"#), sealed: ["email"]) == nil)
}

@Test func aRuleForSomeTypesHoldsForThoseRowsOnly() throws {
    let clear = #"{"owner":"Ada"}"#
    #expect(
        try look(at: "events", row(payload: clear), sealed: ["domain:person"])?.what.contains("payload.owner") == true
    )
    #expect(try look(at: "events", row(payload: clear, type: "lost"), sealed: ["domain:person"]) == nil)
}

@Test func csvCellsWithLineEndsInsideAreLookedInto() throws {
    let line = "\(token),\"ma\nde\",,\"[{\"\"name\"\":\"\"Ada\"\"}]\",,,\n"
    #expect(try look(at: "events", line, .csv, sealed: ["domain:person"])?.what.contains("people.[].name") == true)
}

@Test(arguments: [
    (#"null,"after":{"email":"ada@example.org"}"#, "after.email"),
    (#"{"email":"ada@example.org"},"after":null"#, "before.email"),
    (#"null,"after":{"people":[{"name":"Ada"}]}"#, "after.people.[].name"),
])
func rowsBeforeAndAfterAreLookedInto(values: String, place: String) throws {
    func line(_ id: String) -> String {
        #"{"changed_at":"2025-11-03T00:00:00Z","change":"changed","id":"\#(id)","fields":null,"before":\#(values)}"#
            + "\n"
    }
    let fault = try #require(try look(at: "events_changes", line(token), sealed: ["domain:person", "email"]))
    #expect(fault.what.contains("column \(place) of stream events_changes"))
    #expect(!fault.description.contains("Ada") && !fault.description.contains("ada@"))
}

@Test func theKeyOfAStreamAboutAnotherOneIsProtectedAsThere() throws {
    let connector = try ConnectorReader.read(file: "toy.yaml", bytes: Array(connectorText.utf8)).get()
    let spec = try #require(connector.stream("events"))
    var rules = FieldRules(maskSecrets: { _ in nil })
    rules.sealedFields = ["domain:event"]
    let columns = ChangeColumns.columns(of: spec.archiveColumns, primaryKey: ["id"])
    let reader = ArchiveLine(format: .ndjson, columns: columns, primaryKey: ["changed_at", "id"], timeColumn: nil)
    let look = OutgoingLook(stream: "events_changes", of: spec, reader: reader, gate: nil, rules: rules)
    #expect(look.protected.map(\.column) == [2])
}

@Test func aRestatedValueIsProtectedAsTheColumnItIsOf() throws {
    func line(_ measure: String, _ value: String) -> String {
        #"{"seen_at":"2025-11-03T00:00:00Z","previous_manifest_sha256":"00","change":"changed","id":"\#(token)","measure":"\#(measure)","old_value":null,"new_value":"\#(value)"}"#
            + "\n"
    }
    let fault = try #require(try look(at: "events_restatements", line("email", "ada@example.org"), sealed: ["email"]))
    #expect(fault.what.contains("column new_value of email"))
    #expect(try look(at: "events_restatements", line("email", token), sealed: ["email"]) == nil)
    #expect(try look(at: "events_restatements", line("type", "made"), sealed: ["email"]) == nil)
}
