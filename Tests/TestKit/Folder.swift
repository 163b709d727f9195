import Foundation

/// A fresh folder that is gone after the test.
public func withFolder(_ body: (String) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "cogni-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
}
