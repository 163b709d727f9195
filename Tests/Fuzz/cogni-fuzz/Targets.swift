import Connector
import Model
import PipelineFile
import Sealing

/// The readers that libFuzzer feeds. Each takes any bytes; what must hold whatever they are is demanded here.
enum Target: String, CaseIterable {
    case pipeline, connector, token

    func take(_ bytes: [UInt8]) {
        switch self {
        case .pipeline: Target.pipeline(bytes)
        case .connector: Target.connector(bytes)
        case .token: Target.token(bytes)
        }
    }

    /// A file is a pipeline or has a mistake that is told, never neither; and every way of telling it ends.
    private static func pipeline(_ bytes: [UInt8]) {
        let environment = ["OPENAI_ADMIN_KEY": "k", "A": "", "B": "two words"]
        let reading = PipelineReader.read(file: "pipeline.yaml", bytes: bytes, environment: environment) { name in
            name.hasSuffix(".yaml") ? Array("connector: tiny\n".utf8) : nil
        }
        precondition((reading.pipeline == nil) == reading.diagnostics.hasErrors, "a pipeline, or a mistake")
        tell(reading.diagnostics)
    }

    private static func connector(_ bytes: [UInt8]) {
        let reading = ConnectorReader.read(file: "connector.yaml", bytes: bytes)
        precondition((reading.connector == nil) == reading.diagnostics.hasErrors, "a connector, or a mistake")
        tell(reading.diagnostics)
    }

    private static func tell(_ diagnostics: Diagnostics) {
        precondition(!diagnostics.hasErrors || !diagnostics.text.isEmpty, "a mistake is told")
        _ = diagnostics.summary
    }

    /// What is taken for a token is one in its only spelling: the payload's bytes give the same text again.
    private static func token(_ bytes: [UInt8]) {
        guard let token = try? FieldToken(bytes.span) else { return }
        let spelled = "ef1.\(token.algorithm.letter).\(token.keyID).\(base64(token.body))"
        precondition(Array(spelled.utf8) == bytes, "a token has one spelling")
    }

    /// Base64 with `-` and `_`, unpadded, written anew so that the reader is not checked against itself.
    private static func base64(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            bits <<= UInt32(8 * (3 - group.count))
            for place in 0...group.count { text.append(letters[Int(bits >> UInt32(18 - 6 * place) & 63)]) }
        }
        return text
    }
}
