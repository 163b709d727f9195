import Foundation

/// `Support/wire.py` as a child process: a server on loopback that misbehaves as its paths say.
final class WireServer: @unchecked Sendable {  // written in init only
    let port: Int
    private let process = Process()
    private let input = Pipe()

    static let isAvailable = ["/usr/bin/python3", "/usr/local/bin/python3"].contains {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    init(arguments: [String] = []) throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "CurlTransportTests/Support/wire.py")
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", script.path] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), byte.first != 10 { line += byte }
        port = Int(String(decoding: line, as: UTF8.self)) ?? 0
    }

    deinit {
        try? input.fileHandleForWriting.close()  // its end of file is the server's end, should we die first
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    var base: String { "http://127.0.0.1:\(port)" }
    func url(_ path: String) -> String { base + path }
}

/// A fresh folder, removed with its owner.
final class Folder {
    let url: URL
    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "cogni-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: url) }
    var path: String { url.path }
    func file(_ name: String) -> String { url.appending(path: name).path }
}
