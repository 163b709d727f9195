import Disk
import Foundation
import Model
import Sealing
import Synchronization
import Testing

@testable import KeyRing

/// Counts the calls that change the disk; from one of them on, nothing works any more, as after the process' end.
private final class Cut: Sendable {
    private let calls = Mutex(0)
    private let last: Int
    init(after last: Int) { self.last = last }
    var count: Int { calls.withLock { $0 } }
    var gate: DiskGate {
        DiskGate { call, path throws(DiskError) in
            let number = self.calls.withLock { calls in
                calls += 1
                return calls
            }
            if number > self.last { throw DiskError(call, path, text: "the process has ended") }
        }
    }
}

private struct Rings {
    let folder: Folder
    var path: String { folder.path("r") }
    let kid: String
    let token: [UInt8]

    init() throws {
        folder = try Folder()
        let ring = try RingKeeper.create(folder.path("r"), environment: [:], now: someTime).ring
        kid = try ring.activeKey().kid
        token = Array(
            try TokenSealer(.deterministic, key: try ring.activeKey(), tenant: "org", domain: "user")
                .seal(.string, Array("user-1".utf8)).utf8
        )
    }

    /// Whether the ring opens, under whatever master key lies where it belongs, and still opens the token.
    func opens() throws -> KeyRing {
        let ring = try KeyRing.load(path, environment: [:])
        var opener = TokenOpener(ring, tenant: "org")
        #expect(try opener.open(token, domain: "user").value == Array("user-1".utf8))
        return ring
    }
}

@Test(arguments: ["rewrap", "rotate", "retire"])
func aRingOutlivesTheEndOfTheProcessAtEveryCallOfItsChange(change: String) throws {
    func prepared() throws -> Rings {
        let rings = try Rings()
        if change == "retire" { _ = try RingKeeper.rotate(rings.path, environment: [:], now: someTime) }
        return rings
    }
    func apply(_ rings: Rings) throws {
        switch change {
        case "rewrap": _ = try RingKeeper.rewrap(rings.path, environment: [:], to: nil)
        case "rotate": _ = try RingKeeper.rotate(rings.path, environment: [:], now: someTime)
        default: _ = try RingKeeper.retire(rings.path, kid: rings.kid, environment: [:])
        }
    }
    let whole = Cut(after: .max)
    try whole.gate.watching { try apply(try prepared()) }
    #expect(whole.count >= 6)
    for calls in 0..<whole.count {
        let rings = try prepared()
        let before = try KeyRing.load(rings.path, environment: [:]).generation
        let cut = Cut(after: calls)
        _ = fault { try cut.gate.watching { try apply(rings) } }
        let after = try KeyRing.load(rings.path, environment: [:])
        #expect(after.generation == before || after.generation == before + 1, "\(calls)")
        if change != "retire" || after.generation == before { _ = try rings.opens() }
        // Again, undisturbed: done, and nothing lies about.
        if change == "retire", after.generation > before { continue }
        try apply(rings)
        #expect(try KeyRing.load(rings.path, environment: [:]).generation == after.generation + 1, "\(calls)")
        #expect(try rings.folder.names == ["r", "r.master"], "\(calls)")
    }
}

@Test func twoChangesAtOnceAreBothKept() async throws {
    let rings = try Rings()
    let path = rings.path
    try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 { group.addTask { _ = try RingKeeper.rotate(path, environment: [:], now: someTime) } }
        try await group.waitForAll()
    }
    let ring = try rings.opens()
    #expect(ring.entries.count == 9 && ring.generation == 9)
    #expect(ring.entries.map(\.epoch).sorted() == Array(1...9))
    #expect(ring.lineage == rings.kid)
}

@Test func anotherMasterKeyOpensTheSameKeysAndTheOldOneNone() throws {
    let rings = try Rings()
    let file = try rings.folder.write(Array(someMaster.utf8), "new")
    let old = try rings.folder.text("r.master")
    let done = try RingKeeper.rewrap(rings.path, environment: [:], to: .file(file))
    #expect(done.masterFile == nil && done.before.hasPrefix("kek-"))
    #expect(try KeyRing.load(rings.path, environment: ["COGNI_MASTER_KEY_FILE": file]).entries == done.ring.entries)
    #expect(try rings.folder.text("r.master") == old, "the old master key is the operator's to delete")
    #expect(fault { _ = try rings.opens() }?.what.contains("is not the one that this key ring was made with") == true)
    let same = fault {
        _ = try RingKeeper.rewrap(rings.path, environment: ["COGNI_MASTER_KEY_FILE": file], to: .file(file))
    }
    #expect(same?.what == "the new master key is the one that the ring has")
}

@Test func aKMSThatForgetsWhatItWrappedIsNotTrustedWithTheRing() throws {
    let rings = try Rings()
    let before = try rings.folder.text("r")
    let forgetful = try rings.folder.write(
        Array(
            """
            #!/bin/sh
            read line
            case "$line" in
              *'"op":"wrap"'*) echo '{"ok":true,"data":"blob"}' ;;
              *) printf '{"ok":true,"data":"\(someMaster)"}' ;;
            esac
            """.utf8
        ),
        "kms",
        mode: 0o700
    )
    let refused = fault { _ = try RingKeeper.rewrap(rings.path, environment: [:], to: .command([forgetful])) }
    #expect(refused?.what.hasSuffix("does not open what it wrapped") == true)
    #expect(try rings.folder.text("r") == before)
}

@Test func aKeyCommandThatDiesOfASignalSaysSo() throws {
    let folder = try Folder()
    let dying = try folder.write(Array("#!/bin/sh\nkill -9 $$\n".utf8), "die", mode: 0o700)
    let refused = fault { _ = try KeyHook([dying], ring: "r").ask("read", kek: "kek-x") }
    #expect(refused?.what.hasSuffix("ended with signal 9") == true, "\(refused?.what ?? "nothing")")
}
