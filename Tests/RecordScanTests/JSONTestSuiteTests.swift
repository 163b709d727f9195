import Foundation
import Testing

@testable import RecordScan

/// JSONTestSuite (MIT, by Nicolas Seriot): texts that every parser must accept, must refuse, or may do either with.
@Suite struct JSONTestSuiteTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../../../shared/corpora/JSONTestSuite/test_parsing"
    ).standardizedFileURL.path

    private static let isThere = FileManager.default.fileExists(atPath: folder)

    /// Each text as the value of a declared field, of an undeclared one, and inside an array.
    private static func pages(_ text: [UInt8]) -> [[UInt8]] {
        [(#"{"data":[{"id":"#, "}]}"), (#"{"data":[{"other":"#, "}]}"), (#"{"x":[1,"#, #"],"data":[]}"#)].map {
            before,
            after in
            Array(before.utf8) + text + Array(after.utf8)
        }
    }

    private static func files(_ prefix: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasPrefix(prefix) }.sorted()
    }

    private static func bytes(_ name: String) -> [UInt8] {
        Array(FileManager.default.contents(atPath: folder + "/" + name) ?? Data())
    }

    @Test(.enabled(if: isThere, "skipped: no corpora"))
    func everyTextThatMustBeRefusedIsRefused() {
        let names = Self.files("n_")
        #expect(names.count > 100)
        for name in names {
            for page in Self.pages(Self.bytes(name)) { #expect(!accepts(page), "\(name)") }
        }
    }

    @Test(.enabled(if: isThere, "skipped: no corpora"))
    func everyTextThatMustBeAcceptedIsAccepted() {
        let names = Self.files("y_")
        #expect(names.count > 50)
        for name in names {
            for page in Self.pages(Self.bytes(name)) { #expect(accepts(page), "\(name)") }
        }
    }

    @Test(.enabled(if: isThere, "skipped: no corpora"))
    func textsThatMayGoEitherWayDoNotCrash() {
        for name in Self.files("i_") {
            for page in Self.pages(Self.bytes(name)) { _ = accepts(page) }
        }
    }
}
