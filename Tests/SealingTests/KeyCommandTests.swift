import Testing

@testable import Sealing

/// Process 1 is nobody's child here: as one of ours whose status someone has taken.
@Test func aProgramWhoseStatusIsGoneIsNotWaitedFor() {
    let error = #expect(throws: KeyCommandError.self) { try KeyCommand.reap(1, until: KeyCommand.now() + 10_000) }
    #expect(error == .statusLost)
}
