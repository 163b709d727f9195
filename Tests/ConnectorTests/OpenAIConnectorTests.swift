import Testing

@testable import Connector

@Suite struct OpenAIConnectorTests {
    @Test func theBuiltInConnectorHasNoMistake() throws {
        let bytes = try #require(BuiltinConnectors.bytes("openai_admin"))
        let reading = ConnectorReader.read(file: "openai_admin.yaml", bytes: bytes)
        #expect(reading.diagnostics.text == "")
        #expect(reading.connector?.streams.count == 45)
    }
}
