import Testing

@testable import cogni_simulator

struct PageSeamTests {
    private func seam(_ position: Int, twist: PageTwist = []) -> PageSeam {
        PageSeam(position: position, limit: 3, count: 8, twist: twist)
    }

    @Test func `Pages follow each other to the end`() {
        #expect(seam(0).places == [0, 1, 2] && seam(0).next == .place(3) && seam(0).hasMore == true)
        #expect(seam(6).places == [6, 7] && seam(6).next == .none && seam(6).hasMore == false)
        #expect(seam(8).places == [])
    }

    @Test func `A limit of 0 promises nothing`() {
        let seam = PageSeam(position: 0, limit: 0, count: 8, twist: [])
        #expect(seam.places == [] && seam.hasMore == false && seam.next == .none)
    }

    @Test func `Twists change what they name`() {
        #expect(seam(3, twist: .overlap).places == [2, 3, 4, 5])
        #expect(seam(3, twist: .gap).places == [4, 5])
        #expect(seam(0, twist: .gap).places == [0, 1, 2])
        #expect(seam(3, twist: .replayedPage).places == [0, 1, 2] && seam(3, twist: .replayedPage).next == .place(6))
        #expect(seam(6, twist: .cursorCycle).next == .place(3) && seam(3, twist: .cursorCycle).next == .place(6))
        #expect(seam(3, twist: .emptyPage).next == .again && seam(3, twist: .emptyPage).places == [])
        #expect(
            seam(6, twist: .cursorOnLastPage).next == .place(8) && seam(6, twist: .cursorOnLastPage).hasMore == false
        )
        #expect(seam(3, twist: .noHasMore).hasMore == nil)
        #expect(seam(3, twist: .moreWithoutCursor).next == .none && seam(6, twist: .moreWithoutCursor).hasMore == true)
    }
}
