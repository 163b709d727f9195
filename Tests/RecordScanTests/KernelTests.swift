import Foundation
import Model
import PageMemory
import TestKit
import Testing

@testable import RecordScan

/// What a kernel makes of a page: every cell of every row, unknown fields, and the fault.
private func report(_ bytes: [UInt8], kernel: String) -> String {
    guard PageScanner.use(kernel: kernel) else { return "no such kernel" }
    let shape = PageShape(members: ["data"])
    let slots = ["id", "a", "\u{e9}", "n"].map { shape.slot(level: shape.rowLevel, path: [$0]) }
    let scanner = PageScanner(shape: shape)
    scanner.open(PageBytes(bytes))
    var text = ""
    while true {
        switch scanner.next(maxRows: 3) {
        case .rows:
            for row in 0..<scanner.rowCount {
                for slot in slots {
                    let cell = scanner.cell(row: row, slot: slot)
                    text += "\(cell.kind) \(cell.offset) \(cell.length);"
                }
                text += scanner.unknownFields(row: row).map { "\($0.key) \($0.value.offset);" }.joined()
            }
        case .end: return text + "end"
        case .malformed(let reason, let offset): return text + "\(reason) \(offset)"
        }
    }
}

/// Kernels are chosen for the whole process, so these run one after the other.
@Suite(.serialized) struct KernelTests {
    private static let others = ["avx2", "sse2", "neon"].filter { PageScanner.use(kernel: $0) }

    @Test func aKernelThatIsNotThereIsNotTaken() {
        let before = PageScanner.kernel
        #expect(!PageScanner.use(kernel: "abacus"))
        #expect(PageScanner.kernel == before)
    }

    @Test func everyKernelFindsTheSameInRandomPages() {
        let best = PageScanner.kernel
        defer { _ = PageScanner.use(kernel: best) }
        var generator = Seeded(20_261_125)
        print("seed 20261125, kernels \(Self.others)")
        #expect(!Self.others.isEmpty)
        for _ in 0..<3000 {
            let rows = (0..<1 + Int(generator.next() % 4)).map { _ in
                let length = Int(generator.next() % 70)
                let digits = (0..<1 + Int(generator.next() % 40)).map { _ in String(generator.next() % 10) }.joined()
                let plain = String(repeating: "x", count: length)
                return #"{"id":"\#(plain)","n":1\#(digits),"a":\#(randomValue(&generator, depth: 0).compact)}"#
            }
            var bytes = Array(#"{"data":[\#(rows.joined(separator: ","))],"has_more":false}"#.utf8)
            switch generator.next() % 4 {
            case 0: bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
            case 1: bytes.removeLast(Int(generator.next() % UInt64(bytes.count)))
            default: break
            }
            let expected = report(bytes, kernel: "portable")
            for kernel in Self.others {
                let page = String(decoding: bytes, as: UTF8.self)
                #expect(report(bytes, kernel: kernel) == expected, "\(kernel): \(page)")
            }
        }
    }

    private static let corpora = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../../../shared/corpora"
    ).standardizedFileURL.path

    /// Every JSON text of the corpora: as a page, as a declared value and as one that nobody declared.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: corpora), "skipped: no corpora"))
    func everyKernelFindsTheSameInTheCorpora() throws {
        let best = PageScanner.kernel
        defer { _ = PageScanner.use(kernel: best) }
        let names = try FileManager.default.subpathsOfDirectory(atPath: Self.corpora).filter { $0.hasSuffix(".json") }
        #expect(names.count > 200)
        for name in names.sorted() {
            let text = Array(FileManager.default.contents(atPath: Self.corpora + "/" + name) ?? Data())
            guard text.count < 1 << 20 else { continue }
            for (before, after) in [("", ""), (#"{"data":[{"a":"#, "}]}"), (#"{"data":[{"b":"#, "}]}")] {
                let bytes = Array(before.utf8) + text + Array(after.utf8)
                let expected = report(bytes, kernel: "portable")
                for kernel in Self.others { #expect(report(bytes, kernel: kernel) == expected, "\(kernel): \(name)") }
            }
        }
    }

    /// Stops at every distance from the start of a vector.
    @Test func everyKernelStopsAtTheSameByte() {
        let best = PageScanner.kernel
        defer { _ = PageScanner.use(kernel: best) }
        for length in 0..<100 {
            for stop in ["\"", "\\n\"", "\u{e9}\"", "\u{1}\"", "\u{7f}\""] {
                let bytes = Array(#"{"data":[{"id":"\#(String(repeating: "y", count: length))\#(stop)}]}"#.utf8)
                let expected = report(bytes, kernel: "portable")
                for kernel in Self.others { #expect(report(bytes, kernel: kernel) == expected) }
            }
        }
    }
}
