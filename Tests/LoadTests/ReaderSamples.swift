import ArchiveWriting
import Foundation
import Load
import Testing

/// Outputs for `Tests/readers/run.sh`, which reads them with other people's tools.
@Suite struct ReaderSamples {
    private static let folder = ProcessInfo.processInfo.environment["COGNI_READER_SAMPLES"]

    @Test(
        .enabled(if: folder != nil, "set COGNI_READER_SAMPLES to a folder"),
        arguments: RowFormat.allCases,
        Codec.allCases
    )
    func everyFormatAndCompressionIsWritten(format: RowFormat, codec: Codec) throws {
        let root = OutputRoot("\(Self.folder ?? "")/\(format.rawValue)-\(codec.rawValue)/demo")
        try root.prepare()
        var sample = Sample(format: format, codec: codec, bundle: codec == .zstd ? .tarZstd : .zip)
        try sample.publish(root)
        for day in 10...20 { sample.costs["2025-11-\(day)"] = (1...day).map { "\($0).50" } }
        // More than one gzip member.
        sample.costs["2025-11-21"] = (1...30_000).map { "\($0).25" }
        #expect(try sample.publish(root) == .published(2))
    }

    @Test(.enabled(if: folder != nil, "set COGNI_READER_SAMPLES to a folder"))
    func anEmptyOrganizationIsWritten() throws {
        let root = OutputRoot("\(Self.folder ?? "")/empty/demo")
        try root.prepare()
        #expect(try Sample(costs: [:], projects: []).publish(root) == .published(1))
    }
}
