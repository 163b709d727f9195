import Foundation
import Model
import Testing

@testable import Connector

let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The shipped connector, held against what the catalog says of every endpoint.
@Suite struct OpenAIConnectorTests {
    let connector: Connector
    let digest: [JSONValue.Member]

    init() throws {
        connector = try BuiltinConnectors.connector("openai_admin")
        let data = try Data(contentsOf: repository.appending(path: "Fixtures/openai-admin/catalog-digest.json"))
        digest = try #require(try JSONValue(parsing: [UInt8](data)).members)
    }

    private func strings(_ value: JSONValue?) -> [String] { (value?.elements ?? []).compactMap(\.text) }

    @Test func theBuiltInConnectorHasNoMistake() throws {
        let bytes = try #require(BuiltinConnectors.bytes("openai_admin"))
        #expect(ConnectorReader.read(file: "openai_admin.yaml", bytes: bytes).diagnostics.text == "")
        #expect(connector.streams.count == 45)
        #expect(connector.streams.count { $0.mode == .report } == 12)
        #expect(connector.streams.count { $0.mode == .snapshot } == 25)
        #expect(connector.streams.count { $0.mode == .log } == 1)
        #expect(connector.streams.count { $0.mode == .singleton } == 7)
        #expect(BuiltinConnectors.bytes("nobody") == nil)
    }

    @Test func everyEndpointThatCanBeListedIsAStream() {
        #expect(Set(connector.streams.map(\.name)) == Set(digest.map(\.key)))
    }

    @Test func pathsStylesAndNamesAreTheCatalogs() throws {
        for (name, facts) in digest.map({ ($0.key, $0.value) }) {
            let stream = try #require(connector.stream(name))
            #expect(stream.path == facts["path"]?.text, "\(name)")
            #expect(stream.pagination.style.rawValue == facts["style"]?.text, "\(name)")
            #expect(stream.objectName == facts["object"]?.text, "\(name)")
            #expect(stream.window?.widths ?? [] == strings(facts["widths"]), "\(name)")
            #expect(stream.grouping?.dimensions ?? [] == strings(facts["dimensions"]), "\(name)")
        }
    }

    @Test func onlyParametersThatTheAPIKnowsAreSent() throws {
        for (name, facts) in digest.map({ ($0.key, $0.value) }) {
            let stream = try #require(connector.stream(name))
            var sent = stream.parameters.map(\.name) + stream.walks.flatMap { $0.map(\.name) }
            sent += [stream.window?.startParameter, stream.window?.endParameter, stream.window?.widthParameter]
                .compactMap(\.self)
            if let grouping = stream.grouping { sent.append(grouping.parameter) }
            if stream.pagination.style != .none { sent.append(stream.pagination.cursorParameter) }
            if stream.pagination.cap(width: stream.window?.defaultWidth) != nil {
                sent.append(stream.pagination.limitParameter ?? "")
            }
            let known = strings(facts["parameters"])
            for parameter in sent {
                #expect(known.contains(String(parameter.prefix { $0 != "[" })), "\(name) \(parameter)")
            }
        }
    }

    @Test func pagesAreAsLargeAsAllowedAndNoLarger() throws {
        for (name, facts) in digest.map({ ($0.key, $0.value) }) {
            let pagination = try #require(connector.stream(name)).pagination
            if pagination.limitMaxByWidth.isEmpty {
                #expect(pagination.limitMax == facts["limit_max"]?.integer, "\(name)")
            } else {
                #expect(pagination.limitMaxByWidth == ["1m": 1440, "1h": 168, "1d": 31], "\(name)")
            }
        }
    }

    @Test func primaryKeysAreTheCatalogsButForTheEndOfABucket() throws {
        for (name, facts) in digest.map({ ($0.key, $0.value) }) {
            let stream = try #require(connector.stream(name))
            let wanted = strings(facts["primary_key"]).map { $0.hasPrefix("bucket.") ? String($0.dropFirst(7)) : $0 }
            #expect(stream.primaryKey == wanted.filter { stream.mode != .report || $0 != "end_time" }, "\(name)")
        }
    }

    @Test func parentsAreTheCatalogsAndArchivedProjectsAreSkipped() throws {
        for (name, facts) in digest.map({ ($0.key, $0.value) }) {
            let stream = try #require(connector.stream(name))
            let wanted = (facts["parents"]?.members ?? []).map { "\($0.key) \($0.value.text ?? "")" }
            #expect(stream.parents.map { "\($0.parameter) \($0.stream).\($0.column)" } == wanted, "\(name)")
            for parent in stream.parents where parent.stream == "projects" {
                #expect(parent.skip == [.init(column: "status", values: ["archived"])], "\(name)")
            }
            if !stream.parents.isEmpty { #expect(stream.absent == .empty, "\(name)") }
        }
    }

    @Test func everyFieldHasAColumnOfItsTypeOrIsIgnoredOnPurpose() throws {
        for (name, facts) in digest.map({ ($0.key, $0.value) }) {
            let stream = try #require(connector.stream(name))
            for field in facts["fields"]?.members ?? [] {
                let path = field.key.split(separator: ".").map(String.init)
                if stream.ignoredFields.contains(path) { continue }
                let column = stream.columns.first { $0.path == path && $0.origin == .row }
                #expect(column?.kind.rawValue == field.value["type"]?.text, "\(name).\(field.key)")
                #expect(column?.nullable == field.value["null"]?.boolean, "\(name).\(field.key)")
            }
        }
    }

    @Test func noColumnIsMadeUp() throws {
        let undocumented: Set = ["organization_id", "organization_name", "project_name", "user_email"]
        let session: Set = ["user_agent", "ja3", "ja4", "ip_address_details"]
        for (name, facts) in digest.map({ ($0.key, $0.value) }) {
            let stream = try #require(connector.stream(name))
            let fields = Set((facts["fields"]?.members ?? []).map(\.key))
            for column in stream.columns where column.origin == .row {
                let isKnown = fields.contains(column.path.joined(separator: "."))
                let isSeen =
                    name == "costs" && undocumented.contains(column.name)
                    || name == "audit_logs" && session.contains(column.name)
                #expect(isKnown || isSeen || column.path == ["{type}"], "\(name).\(column.name)")
            }
        }
    }

    /// The catalog's classes of sensitive fields arrive in a column, or in a rule inside one.
    @Test func everySensitiveFieldIsMarked() throws {
        let harmless: Set = ["financial"]
        for (name, facts) in digest.map({ ($0.key, $0.value) }) {
            let stream = try #require(connector.stream(name))
            let events = strings(facts["events"])
            for field in facts["sensitive"]?.members ?? [] where !harmless.contains(field.value.text ?? "") {
                let event = events.filter { field.key == $0 || field.key.hasPrefix($0 + ".") }.max {
                    $0.count < $1.count
                }
                #expect(isMarked(field.key, event: event, in: stream), "\(name).\(field.key)")
            }
        }
    }

    private func isMarked(_ field: String, event: String?, in stream: StreamSpec) -> Bool {
        if let event {
            guard let payload = stream.column("payload"), payload.sensitivity == .opaque else { return false }
            let rest = field.dropFirst(event.count + 1)
            return rest.isEmpty
                || payload.inner.contains {
                    keys($0.path) == rest && $0.types.contains(event) && $0.sensitivity != .none
                }
        }
        return stream.columns.contains { column in
            let path = column.origin == .row ? column.path.joined(separator: ".") : column.name
            if path == field { return column.sensitivity != .none }
            return column.inner.contains { rule in
                let inner = keys(rule.path)
                return rule.sensitivity != .none && (path + (inner.hasPrefix("[]") ? "" : ".") + inner) == field
            }
        }
    }

    private func keys(_ path: [String]) -> String { path.joined(separator: ".").replacing(".[]", with: "[]") }

    @Test func whoeverIsAUserHasTheDomainOfUsers() {
        for stream in connector.streams {
            for column in stream.columns where column.name == "user_id" || column.name.hasSuffix("_user_id") {
                #expect(column.domain == "user" && column.sensitivity != .none, "\(stream.name).\(column.name)")
            }
            for column in stream.columns where column.sensitivity == .email {
                #expect(column.domain == "email", "\(stream.name).\(column.name)")
            }
        }
        for (stream, column) in [
            ("users", "id"), ("project_users", "id"), ("group_users", "id"), ("admin_api_keys", "owner_id"),
        ] {
            #expect(connector.stream(stream)?.column(column)?.domain == "user")
        }
    }

    @Test func reportsBeginWithTheirBucketAndMoneyIsDecimal() throws {
        for stream in connector.streams where stream.mode == .report {
            #expect(stream.columns.prefix(2).map(\.name) == ["start_time", "end_time"])
            #expect(
                stream.columns.prefix(2).allSatisfy {
                    $0.origin == .bucket && $0.kind == .timestamp && $0.path == [$0.name]
                }
            )
            #expect(stream.timeColumn == "start_time")
            #expect(stream.window?.defaultLookback == Int64(stream.name == "costs" ? 604_800 : 259_200))
        }
        let costs = try #require(connector.stream("costs"))
        #expect(costs.column("amount_value")?.kind == .decimal)
        #expect(costs.column("quantity")?.kind == .decimal)
        #expect(costs.grouping?.usual == ["project_id", "line_item", "api_source"])
        #expect(costs.grouping?.refusals.first?.startBefore == 1_764_979_200)
    }

    @Test func auditLogsAreWalkedTwiceAndKeepTheirPayload() throws {
        let logs = try #require(connector.stream("audit_logs"))
        #expect(logs.walks == [[], [.init("tenant_only", "true")]])
        #expect(logs.window?.startParameter == "effective_at[gte]")
        #expect(logs.window?.endParameter == "effective_at[lt]")
        let payload = try #require(logs.column("payload"))
        #expect(payload.path == ["{type}"])
        #expect(payload.inner.first { $0.types.contains("user.added") }?.domain == "user")
        #expect(payload.inner.first { $0.path == ["allowed_ips", "[]"] }?.sensitivity == .ip)
    }

    @Test func whatOnlyTicksIsNoChange() {
        let volatile = connector.streams.flatMap { stream in
            stream.columns.filter(\.isVolatile).map { "\(stream.name).\($0.name)" }
        }
        #expect(
            volatile == ["users.api_key_last_used_at", "admin_api_keys.last_used_at", "project_api_keys.last_used_at"]
        )
    }

    @Test func archivesEndWithOurOwnColumns() throws {
        #expect(
            try #require(connector.stream("costs")).archiveColumns.suffix(2).map(\.name) == ["user_email", "extra"]
        )
        let users = try #require(connector.stream("users")).archiveColumns.suffix(2)
        #expect(users.map(\.name) == ["deleted_at", "extra"])
        #expect(users.allSatisfy { $0.origin == .ours && $0.nullable })
        #expect(try #require(connector.stream("audit_logs")).archiveColumns.count { $0.origin == .ours } == 1)
    }

    /// The connector and the digest are what the script makes of the catalog today.
    @Test func theScriptWritesTheSameFilesAgain() throws {
        let catalog = repository.appending(path: "../shared/api/openai-admin.catalog.json").standardizedFileURL
        let python = URL(filePath: "/usr/bin/env")
        guard FileManager.default.fileExists(atPath: catalog.path) else {
            print("skipped: no catalog")
            return
        }
        for (options, file) in [
            ([], "Sources/House/Connector/Connectors/openai_admin.yaml"),
            (["--digest"], "Fixtures/openai-admin/catalog-digest.json"),
        ] {
            let process = Process()
            process.executableURL = python
            process.arguments =
                ["python3", repository.appending(path: "Tools/make_openai_connector.py").path] + options + [
                    catalog.path
                ]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let written = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            guard process.terminationStatus != 127 else {
                print("skipped: no python3")
                return
            }
            #expect(try written == Data(contentsOf: repository.appending(path: file)), "\(file)")
        }
    }
}
