import Ledger
import Model
import Reporting
import Testing

@testable import Runner

@Suite struct RunVerdictTests {
    private func verdict(_ codes: [Fault.Code], place: [String] = []) -> RunVerdict {
        RunVerdict(codes.map { Fault($0, "something", at: place, mend: "") })
    }

    @Test(arguments: [Fault.Code.locked, .disabled, .interrupted, .terminated, .badPlan])
    func whatIsOursSaysNothingAboutThePipeline(code: Fault.Code) {
        #expect(verdict([code]) == .uncounted)
    }

    @Test(arguments: [Fault.Code.denied, .unreachable, .badReply, .cannotWrite, .cannotSeal])
    func whatIsNotOursCounts(code: Fault.Code) {
        #expect(verdict([code]) == .failed)
        #expect(verdict([.locked, code]) == .failed)
        #expect(verdict([code], place: ["clock"]) == .uncounted)
    }
}
