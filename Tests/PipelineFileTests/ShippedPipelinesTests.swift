import Connector
import Foundation
import Testing

@testable import PipelineFile

/// The repository's folder, whatever folder the tests run in.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

@Suite struct ShippedPipelinesTests {
    @Test(arguments: [("openai-admin", 45), ("usage-and-costs", 14), ("security-inventory", 19)])
    func everyShippedPipelineIsValidWithoutAnyVariable(name: String, streams: Int) throws {
        let url = repository.appending(path: "pipelines/\(name).yaml")
        let bytes = try [UInt8](Data(contentsOf: url))
        let reading = PipelineReader.read(file: "pipelines/\(name).yaml", bytes: bytes, environment: [:]) { _ in nil }
        #expect(reading.diagnostics.text == "")
        let pipeline = try #require(reading.pipeline)
        #expect(pipeline.name == name)
        #expect(pipeline.streams.count == streams)
        #expect(pipeline.source.credential == nil)
        #expect(pipeline.source.credentialName == "OPENAI_ADMIN_KEY")
    }
}
