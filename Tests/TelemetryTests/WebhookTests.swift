import Foundation
import Ledger
import Model
import PipelineFile
import Testing

@testable import Telemetry

/// The example of the Standard Webhooks specification (MIT, Copyright (c) 2023 Svix).
private let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
private let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

@Suite struct WebhookTests {
    @Test(arguments: [secret, String(secret.dropFirst(6)), " \(secret)\n"])
    func theSpecificationsExampleIsSignedAsItSays(text: String) throws {
        let keys = try WebhookKey.keys(Secret(text, name: "HOOK"))
        let signature = try keys[0].signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp: Instant(seconds: 1_614_265_330),
            body: #"{"test": 2432232314}"#
        )
        #expect(keys.count == 1)
        #expect(signature == expected)
    }

    @Test func severalSecretsAllSign() throws {
        let keys = try WebhookKey.keys(Secret("\(secret) whsec_\(String(repeating: "QUJD", count: 8))", name: "HOOK"))
        #expect(keys.count == 2)
    }

    @Test(arguments: [
        "", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64 at all", "whsec_\(String(repeating: "QUJD", count: 22))",
    ])
    func aSecretThatIsNoneIsRefusedWithoutRepeatingIt(text: String) throws {
        let fault = #expect(throws: Fault.self) { try WebhookKey.keys(Secret(text, name: "HOOK")) }
        #expect(fault?.code == .badPlan)
        #expect(fault?.what.contains("HOOK") == true)
        #expect(text.count < 7 || fault?.description.contains(text.dropFirst(6)) == false)
    }

    @Test func theSameCauseGivesTheSameIdAndAnotherCauseAnother() {
        func id(_ cause: [String], _ at: Int64) -> String {
            WebhookEvent.make(.published, pipeline: "demo", cause: cause, at: Instant(seconds: at), [], clean: { $0 })
                .id
        }
        #expect(id(["7", "abc"], 1) == id(["7", "abc"], 2))
        #expect(id(["7", "abc"], 1) != id(["8", "abc"], 1))
        #expect(id(["7"], 1).hasPrefix("msg_") && !id(["7"], 1).contains("."))
    }

    @Test func aBodyIsNeverLargerThanTheLimit() throws {
        let names = JSONValue.strings((0..<5000).map { "stream_\($0)" })
        let event = WebhookEvent.make(
            .runFailed,
            pipeline: "demo",
            cause: ["x"],
            at: Instant(seconds: 0),
            [.init("failed_streams", names)],
            clean: { $0 }
        )
        #expect(event.body.utf8.count <= WebhookEvent.bodyLimit)
        let body = try JSONValue(parsing: Array(event.body.utf8))
        #expect(body["type"]?.text == "run.failed")
        #expect(body["data"]?["shortened"]?.boolean == true)
    }

    @Test func attemptsGrowFurtherApartAndEnd() {
        let zero = Instant(seconds: 0)
        let waits = (1...9).compactMap { RetrySchedule.next(afterAttempts: $0, at: zero)?.seconds }
        #expect(waits == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400])
        #expect(RetrySchedule.next(afterAttempts: 10, at: zero) == nil)
    }

    @Test func allVectorsOfTheCorpusAgree() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../shared/corpora/standard-webhooks/vectors.json").standardizedFileURL.path
        guard let data = FileManager.default.contents(atPath: path) else {
            try Test.cancel("skipped: no corpora")
        }
        let vectors = try JSONValue(parsing: Array(data))
        let sign = try #require(vectors["sign"]?.elements)
        #expect(!sign.isEmpty)
        for vector in sign {
            let key = try WebhookKey.keys(Secret(vector["secret"]?.text ?? "", name: "vector"))[0]
            let signature = try key.signature(
                id: vector["id"]?.text ?? "",
                timestamp: Instant(seconds: Int64(vector["timestamp"]?.integer ?? 0)),
                body: vector["payload"]?.text ?? ""
            )
            #expect(signature == vector["expected"]?.text)
        }
    }
}
