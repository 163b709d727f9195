import ArchiveWriting
import Load
import Model
import Testing

@Suite struct ManifestTests {
    /// The example of the specification, with the elided digest filled in.
    private static let example =
        #"{"format":"cogni-manifest/1","key_ids":["bjugbow2rs"],"pipeline":"openai-admin","streams":[{"bucket_width":"1d","#
        + #""coverage":{"from":"2025-11-01T00:00:00Z","to":"2025-12-01T00:00:00Z"},"group_by":["project_id","line_item"],"#
        + #""mode":"report","name":"costs","partitions":[{"files":[{"bytes":249,"content_bytes":796,"content_sha256":"#
        + #""aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","max":"2025-11-03T00:00:00Z","#
        + #""min":"2025-11-03T00:00:00Z","path":"costs/dt=2025-11-03/costs-00001-aaaaaaaaaaaaaaaa.ndjson.gz","rows":3,"#
        + #""sha256":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}],"partition":{"dt":"2025-11-03"}}],"#
        + #""primary_key":["start_time","project_id","line_item"],"rows":3,"schema":"schemas/costs.json","stale":false,"#
        + #""watermark":"2025-12-01T00:00:00Z"}]}"#

    @Test func theSpecificationsExampleIsReadAndWrittenByteForByte() throws {
        let manifest = try Manifest(parsing: Array(Self.example.utf8), path: "m")
        #expect(String(decoding: manifest.bytes, as: UTF8.self) == Self.example)
        let costs = try #require(manifest.stream("costs"))
        #expect(costs.rows == 3)
        #expect(costs.partition("2025-11-03")?.files.first?.facts.contentBytes == 796)
        #expect(costs.coverage?.to == Instant(text: "2025-12-01"))
    }

    @Test func whatAnotherVersionAddedIsKept() throws {
        let more = Self.example
            .replacingFirst("\"pipeline\"", with: "\"new\":{\"a\":[1.50]},\"pipeline\"")
            .replacingFirst("\"stale\"", with: "\"sort\":\"z\",\"stale\"")
        let manifest = try Manifest(parsing: Array(more.utf8), path: "m")
        #expect(manifest.json["new"]?.compact == #"{"a":[1.50]}"#)
        #expect(manifest.json["streams"]?.elements?.first?["sort"] == "z")
    }

    @Test func gapsOfACoverageComeBackAndAreCheckedLikeTheRest() throws {
        let gap = #","gaps":[{"from":"2025-11-05T00:00:00Z","to":"2025-11-09T00:00:00Z"}],"to":"2025-12-01"#
        let more = Self.example.replacingFirst(#","to":"2025-12-01"#, with: gap)
        let manifest = try Manifest(parsing: Array(more.utf8), path: "m")
        #expect(manifest.streams[0].coverage?.gaps.map(\.from.date) == ["2025-11-05"])
        #expect(String(decoding: manifest.bytes, as: UTF8.self) == more)
        let broken = more.replacingFirst(#"{"from":"2025-11-05T00:00:00Z","#, with: "{")
        #expect(throws: Fault.self) { try Manifest(parsing: Array(broken.utf8), path: "m") }
    }

    @Test func cursorsAndCryptoComeBackAsTheyWere() throws {
        var manifest = try Manifest(parsing: Array(Self.example.utf8), path: "m")
        manifest.crypto = .init(
            tenant: "org-1",
            fields: [.init(path: "email", algorithm: "deterministic", domain: "email")]
        )
        manifest.streams[0].cursors = ["after": "evt_9", "n": 12]
        let again = try Manifest(parsing: manifest.bytes, path: "m")
        #expect(again.crypto == manifest.crypto)
        #expect(again.streams[0].cursors?["after"] == "evt_9")
        #expect(again.bytes == manifest.bytes)
    }

    @Test func orderOfStreamsAndPartitionsDoesNotShow() throws {
        var one = try Manifest(parsing: Array(Self.example.utf8), path: "m")
        one.streams.append(.init(name: "a", mode: "snapshot", primaryKey: ["id"]))
        one.streams[0].partitions.append(.init(value: "2025-11-01", files: []))
        var other = one
        other.streams.reverse()
        other.streams[1].partitions.reverse()
        #expect(one.bytes == other.bytes)
    }

    @Test(arguments: [
        ("cogni-manifest/1", "cogni-manifest/2", "format"),
        ("\"pipeline\":\"openai-admin\"", "\"pipeline\":7", "pipeline"),
        ("costs/dt=2025-11-03/", "../", "leaves the generation"),
        ("\"rows\":3,\"sha256\"", "\"rows\":2,\"sha256\"", "sum"),
        ("\"rows\":3,\"sha256\"", "\"rows\":-3,\"sha256\"", "rows"), ("\"sha256\":\"b", "\"sha256\":\"B", "SHA-256"),
        ("\"dt\":", "\"day\":", "partition"), ("2025-12-01T00:00:00Z\"}", "soon\"}", "time `to`"),
        ("}]}", "}]", "JSON"),
        ("schemas/costs.json", "schemas/other.json", "schema"),
    ])
    func aManifestThatIsNotOursIsRefusedWithItsPlace(old: String, new: String, word: String) throws {
        let broken = Self.example.replacingFirst(old, with: new)
        #expect(broken != Self.example)
        let fault = #expect(throws: Fault.self) { try Manifest(parsing: Array(broken.utf8), path: "x/manifest.json") }
        #expect(fault?.code == .cannotWrite)
        #expect(fault?.what.contains("x/manifest.json") == true)
        #expect(fault?.what.contains(word) == true, "\(fault?.what ?? "")")
    }
}

extension String {
    func replacingFirst(_ old: String, with new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        return replacingCharacters(in: range, with: new)
    }

    private func firstRange(of text: String) -> Range<String.Index>? { ranges(of: text).first }
    private func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        var copy = self
        copy.replaceSubrange(range, with: text)
        return copy
    }
}
