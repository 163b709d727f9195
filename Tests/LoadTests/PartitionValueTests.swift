import ArchiveWriting
import Load
import TestKit
import Testing

@Suite struct PartitionValueTests {
    @Test(arguments: [
        ("2025-11-03", "2025-11-03"), ("", "__HIVE_DEFAULT_PARTITION__"), (".", "%2E"), ("..", "%2E."),
        ("a/b", "a%2Fb"),
        ("%2E", "%252E"), ("A", "A"), ("a", "a"), ("ä b", "%C3%A4%20b"), ("\0", "%00"), ("x=y", "x=y"),
        ("__HIVE_DEFAULT_PARTITION__", "%5F_HIVE_DEFAULT_PARTITION__"), ("\\", "%5C"), ("..a", "..a"),
    ])
    func valuesAreEscapedAsHiveDoes(value: String, name: String) {
        #expect(PartitionValue.escape(value) == name)
        #expect(PartitionValue.unescape(name) == value)
    }

    @Test func differentValuesNeverMeetAndStayOneComponent() {
        let seed: UInt64 = 20_251_103
        var random = Seeded(seed)
        let alphabet = ["a", "A", ".", "/", "%", "2", "E", "=", "_", "-", "\0", "\n", "é", "😀", "\\", " ", "5", "F"]
        var names: [String: String] = [:]
        for _ in 0..<20_000 {
            let length = [0, 1, 2, 3, 5, 60, 199, 200, 201, 400].randomElement(using: &random) ?? 0
            let value = (0..<length).map { _ in alphabet.randomElement(using: &random) ?? "" }.joined()
            let name = PartitionValue.escape(value)
            #expect(name.utf8.count <= 255 - "dt=".utf8.count, "seed \(seed)")
            #expect(!name.contains("/") && !name.contains("\0") && name != "." && name != ".." && !name.isEmpty)
            #expect(ArchiveName.isPlain("x/dt=" + name))
            if let other = names.updateValue(value, forKey: name) {
                #expect(Array(other.utf8) == Array(value.utf8), "seed \(seed)")
            }
            if name.utf8.count <= 200 { #expect(PartitionValue.unescape(name) == value, "seed \(seed)") }
        }
    }

    @Test func longValuesThatBeginAlikeStayApart() {
        let long = String(repeating: "x", count: 300)
        #expect(PartitionValue.escape(long + "1") != PartitionValue.escape(long + "2"))
        #expect(PartitionValue.unescape(PartitionValue.escape(long)) == nil)
    }

    @Test func namesSayStreamPartitionNumberAndContent() {
        let digest = "a5466f54997fee0d" + String(repeating: "0", count: 48)
        #expect(
            ArchiveName.path(
                stream: "costs",
                partition: "2025-11-03",
                number: 1,
                contentSHA256: digest,
                format: .ndjson,
                codec: .gzip
            )
                == "costs/dt=2025-11-03/costs-00001-a5466f54997fee0d.ndjson.gz"
        )
        #expect(
            ArchiveName.path(
                stream: "projects",
                partition: "",
                number: 123_456,
                contentSHA256: digest,
                format: .csv,
                codec: .none
            )
                == "projects/projects-123456-a5466f54997fee0d.csv"
        )
    }

    @Test(arguments: ["/a", "a/../b", "..", "a//b", "", "a/", "a b", "a\u{7F}", "a\n", "./a", "a\\b"])
    func pathsThatLeaveTheGenerationAreNotPlain(path: String) { #expect(!ArchiveName.isPlain(path)) }
}
