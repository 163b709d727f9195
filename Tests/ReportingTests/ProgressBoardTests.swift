import Reporting
import Testing

@Suite struct ProgressBoardTests {
    @Test func plainLinesAreFewAndEndWithTheSum() {
        var board = ProgressBoard(style: .plain, streamCount: 2, interval: 10_000, at: 0)
        var text = board.start("costs", at: 0)
        for page in 1...25 { text += board.page("costs", rows: 1000, fraction: Double(page) / 50, at: page * 1000) }
        text += board.end("costs", .ok, at: 25_500)
        #expect(
            text == """
                costs: started
                costs: 10 pages, 10,000 rows, 1,000 rows/s, 20%, 40.0s left
                costs: 20 pages, 20,000 rows, 1,000 rows/s, 40%, 30.0s left
                costs: done, 25 pages, 25,000 rows in 25.5s

                """
        )
    }

    @Test func theBoardIsRedrawnInPlace() {
        var board = ProgressBoard(style: .terminal(width: 80, height: 24, color: false), streamCount: 45, at: 0)
        #expect(board.start("costs", at: 0) == "costs  0 pages, 0 rows\n0 of 45 streams, 0 rows, 0.0s\n")
        #expect(board.start("users", at: 50) == "", "at most ten times a second")
        #expect(
            board.page("costs", rows: 3600, fraction: 0.25, at: 3000)
                == "\u{1B}[2A\r\u{1B}[Jcosts  1 page, 3,600 rows, 1,200 rows/s, 25%, 9.0s left\n"
                + "users  0 pages, 0 rows\n0 of 45 streams, 3,600 rows, 3.0s\n"
        )
        #expect(
            board.end("users", .ok, at: 3200)
                == "\u{1B}[3A\r\u{1B}[Jcosts  1 page, 3,600 rows, 1,125 rows/s, 25%, 9.6s left\n"
                + "1 of 45 streams, 3,600 rows, 3.2s\n"
        )
        #expect(board.close() == "\u{1B}[2A\r\u{1B}[J")
        #expect(board.close() == "")
    }

    @Test func aFailureStaysOnTheScreen() {
        var board = ProgressBoard(style: .terminal(width: 80, height: 24, color: false), streamCount: 2, at: 0)
        _ = board.start("costs", at: 0)
        #expect(
            board.end("costs", .stale, at: 20)
                == "\u{1B}[2A\r\u{1B}[Jcosts: stale, 0 pages, 0 rows in 0.0s\n1 of 2 streams, 0 rows, 1 failed, 0.0s\n"
        )
    }

    @Test func manyStreamsFitTheScreen() {
        var board = ProgressBoard(style: .terminal(width: 20, height: 5, color: false), streamCount: 9, at: 0)
        for number in 1...4 { _ = board.start("stream_\(number)", at: 0) }
        #expect(
            board.tick(at: 500)
                == "\u{1B}[2A\r\u{1B}[Jstream_1  0 pages, \nstream_2  0 pages, \nand 2 more\n0 of 9 streams, 0 r\n"
        )
    }

    @Test func silenceIsSilent() {
        var board = ProgressBoard(style: .none, streamCount: 1, at: 0)
        let text =
            board.start("costs", at: 0) + board.page("costs", rows: 1, fraction: nil, at: 60_000)
            + board.above("note", at: 60_000) + board.end("costs", .failed, at: 60_001) + board.close()
        #expect(text == "")
    }
}
