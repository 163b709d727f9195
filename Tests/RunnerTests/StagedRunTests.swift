import Disk
import Foundation
import Model
import RecordScan
import TestKit
import Testing

@testable import Runner

@Suite struct StagedRunTests {
    private static func run(_ rows: Int, seed: Int) -> RowRun {
        let run = RowRun()
        for row in 0..<rows {
            let line = Array("line \(row * 7919 % rows) of \(seed)\n".utf8)
            run.append(key: Array("key \(row * 104_729 % rows)".utf8), time: Int64(row), line: line)
        }
        return run
    }

    @Test func theLedgerTellsOfARunInOneLine() throws {
        let run = StagedRun(file: "a-1.runs", partition: -3, offset: 8, length: 4711, rows: 12, checksum: .max - 5)
        #expect(run.text == "a-1.runs:-3:8:4711:12:fffffffffffffffa")
        #expect(StagedRun(text: run.text) == run)
        for text in ["", "a:1:2:3:4", "a:1:2:3:4:", "a:1:2:3:4:xyz", "a:b:2:3:4:5", run.text + ":1"] {
            #expect(StagedRun(text: text) == nil, "\(text)")
        }
    }

    /// Small, and larger than what is read at once.
    @Test(arguments: [1, 100_000]) func rowsInStagingAreTakenUpOnlyAsTheyWereWritten(rows: Int) throws {
        try withFolder { folder in
            let file = try SpillFile(folder: folder, name: "s.runs")
            let runs = [
                try file.append(Self.run(rows, seed: 1), partition: 1),
                try file.append(Self.run(3, seed: 2), partition: 2),
            ]
            #expect(runs.map(\.rows) == [rows, 3])
            #expect(StagedRun.allThere(runs, in: folder))
            #expect(!StagedRun.allThere(runs, in: folder + "/elsewhere"))
            let path = folder + "/s.runs"
            let whole = try #require(FileManager.default.contents(atPath: path))
            #expect(whole.count == runs.reduce(0) { $0 + $1.length })
            for offset in [0, runs[0].length - 1, runs[1].offset, whole.count - 1] {
                var damaged = whole
                damaged[offset] ^= 1
                try damaged.write(to: URL(fileURLWithPath: path))
                #expect(!StagedRun.allThere(runs, in: folder), "byte \(offset)")
            }
            try whole.dropLast().write(to: URL(fileURLWithPath: path))
            #expect(!StagedRun.allThere(runs, in: folder))
            #expect(StagedRun.allThere([runs[0]], in: folder))
        }
    }
}
