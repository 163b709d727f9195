import ArchiveWriting
import Foundation
import TestKit

/// The exit status and standard output of a program; `nil` when this machine hasn't got it.
func run(_ program: String, _ arguments: [String], in folder: String? = nil) throws -> (status: Int32, output: Data)? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 127 ? nil : (process.terminationStatus, data)
}

/// Lines that look like rows: repetitive, of different lengths, each ended by LF.
func rows(_ byteCount: Int, seed: UInt64) -> [UInt8] {
    var random = Seeded(seed)
    var bytes: [UInt8] = []
    while bytes.count < byteCount {
        let tokens = UInt64.random(in: 0..<100_000, using: &random)
        let model = ["alpha-large", "alpha-small", "beta"].randomElement(using: &random) ?? ""
        bytes.append(contentsOf: #"{"model":"\#(model)","tokens":\#(tokens),"id":"\#(random.next())"}"#.utf8)
        bytes.append(10)
    }
    return bytes
}

/// The content of a file, read back by us.
func read(_ path: String, codec: Codec? = nil, maximum: Int = .max) throws -> [UInt8] {
    var content: [UInt8] = []
    try ArchiveReader(path, codec: codec, maximum: maximum).forEachBlock { block in
        for index in block.indices { content.append(block[index]) }
    }
    return content
}
