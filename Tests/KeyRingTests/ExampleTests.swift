import Foundation
import Model
import Sealing
import Testing

@testable import KeyRing

/// Writes the public example afresh; `COGNI_WRITE_EXAMPLE=1 swift test --filter theExampleIsMade` accepts it.
@Test(.enabled(if: ProcessInfo.processInfo.environment["COGNI_WRITE_EXAMPLE"] == "1", "only on request"))
func theExampleIsMade() throws {
    let folder = try Folder()
    let target = repository.appending(path: "Fixtures/keys")
    let bytes = [UInt8](0..<32)
    let key = try DataKey(try KeyBytes(copying: bytes.span))
    let name = "example.keyring.json"
    _ = try RingKeeper.create(folder.path(name), environment: [:], key: key, tenant: "", now: someTime, isExample: true)
    for file in [name, name + ".master"] {
        let to = target.appending(path: file)
        try? FileManager.default.removeItem(at: to)
        try FileManager.default.copyItem(at: folder.url.appending(path: file), to: to)
    }
}
