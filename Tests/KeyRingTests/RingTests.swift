import Foundation
import Model
import Sealing
import Testing

@testable import KeyRing

@Test func aNewRingWithoutAMasterKeyMakesOneBesideItAndSaysSo() throws {
    let folder = try Folder()
    let made = try RingKeeper.create(folder.path("ring.json"), environment: [:], now: someTime)
    #expect(made.masterFile == folder.path("ring.json.master"))
    #expect(try folder.names == ["ring.json", "ring.json.master"])
    #expect(try folder.mode("ring.json") == 0o600 && folder.mode("ring.json.master") == 0o600)
    #expect(made.ring.warnings.isEmpty && !made.ring.isExample)
    let loaded = try KeyRing.load(folder.path("ring.json"), environment: [:])
    #expect(loaded.entries == made.ring.entries && loaded.entries.count == 1)
    #expect(try loaded.activeKey().kid == made.ring.entries[0].kid)
    #expect(loaded.entries[0].created == someTime && loaded.entries[0].state == .active)
}

@Test func theRingHoldsNoKeyInTheClearAndIsCanonicalJSON() throws {
    let folder = try Folder()
    let ring = try RingKeeper.create(folder.path("r"), environment: ["COGNI_MASTER_KEY": someMaster], now: someTime)
        .ring
    let text = try folder.text("r")
    #expect(text == (try JSONValue(parsing: text)).canonicalText + "\n")
    let key = try ring.activeKey().bytes.withSpan { span in span.indices.map { span[$0] } }
    #expect(!text.contains(Base64.standard.text(key)) && !text.contains(hexText(key)) && !text.contains(someMaster))
    #expect(try folder.names == ["r"])
}

@Test func creatingTwiceLeavesTheFirstRingAlone() throws {
    let folder = try Folder()
    _ = try RingKeeper.create(folder.path("r"), environment: [:], now: someTime)
    let before = try folder.text("r") + folder.text("r.master")
    let refused = fault { _ = try RingKeeper.create(folder.path("r"), environment: [:], now: someTime) }
    #expect(refused?.code == .cannotSeal)
    #expect(try folder.text("r") + folder.text("r.master") == before)
}

@Test func rotationSealsWithTheNewKeyAndOpensWithBoth() throws {
    let folder = try Folder()
    let path = folder.path("r")
    let first = try RingKeeper.create(path, environment: [:], now: someTime).ring
    let old = try TokenSealer(.deterministic, key: try first.activeKey(), tenant: "org", domain: "user")
        .seal(.string, Array("user-1".utf8))
    let second = try RingKeeper.rotate(path, environment: [:], now: someTime + 60)
    #expect(second.entries.map(\.state) == [.decryptOnly, .active])
    #expect(second.entries.map(\.epoch) == [1, 2] && second.generation == 2)
    #expect(try second.activeKey().kid != first.activeKey().kid)
    var opener = TokenOpener(second, tenant: "org")
    #expect(try opener.open(Array(old.utf8), domain: "user").value == Array("user-1".utf8))
    #expect(try folder.names == ["r", "r.master"])
}

@Test func aRetiredKeyIsGoneForGood() throws {
    let folder = try Folder()
    let path = folder.path("r")
    let first = try RingKeeper.create(path, environment: [:], now: someTime).ring
    let kid = first.entries[0].kid
    #expect(fault { _ = try RingKeeper.retire(path, kid: kid, environment: [:]) }?.what == "the key \(kid) is active")
    _ = try RingKeeper.rotate(path, environment: [:], now: someTime)
    let blob = try #require(
        try JSONValue(parsing: try folder.text("r"))["deks"]?.elements?[0]["wrapped"]?.elements?[0]["blob"]?.text
    )
    let ring = try RingKeeper.retire(path, kid: kid, environment: [:])
    #expect(ring.entries.map(\.state) == [.retired, .active])
    #expect(try !folder.text("r").contains(blob))
    #expect(fault { _ = try ring.key(kid) }?.what == "the key \(kid) was retired")
    #expect(fault { _ = try ring.key("aaaaaaaaaa") }?.what == "the key ring has no key aaaaaaaaaa")
}

@Test func aTenantMayHaveAKeyOfItsOwn() throws {
    let folder = try Folder()
    let path = folder.path("r")
    let common = try RingKeeper.create(path, environment: [:], now: someTime).ring.activeKey()
    let ring = try RingKeeper.rotate(path, environment: [:], tenant: "org-1", now: someTime)
    #expect(try ring.activeKey(for: "org-2").kid == common.kid)
    #expect(try ring.activeKey(for: "org-1").kid != common.kid)
}

@Test(arguments: ["COGNI_MASTER_KEY", "COGNI_MASTER_KEY_FILE", "COGNI_MASTER_KEY_COMMAND"])
func everyMasterKeySourceOpensTheRingThatItMade(variable: String) throws {
    let folder = try Folder()
    let value: String
    switch variable {
    case "COGNI_MASTER_KEY": value = someMaster
    case "COGNI_MASTER_KEY_FILE": value = try folder.write([UInt8](repeating: 0xC3, count: 32), "master")
    default: value = try folder.write(Array(kms.utf8), "kms", mode: 0o700)
    }
    let made = try RingKeeper.create(folder.path("r"), environment: [variable: value], now: someTime)
    #expect(made.masterFile == nil)
    let loaded = try KeyRing.load(folder.path("r"), environment: [variable: value])
    #expect(loaded.entries == made.ring.entries)
    #expect(try RingKeeper.rotate(folder.path("r"), environment: [variable: value], now: someTime).entries.count == 2)
}

/// Stands for a KMS: "wraps" by turning the letters around, and answers nothing to anyone else's request.
private let kms = """
    #!/bin/sh
    read line
    data=$(printf '%s' "$line" | sed 's/.*"data":"\\([^"]*\\)".*/\\1/')
    case "$line" in
      *'"op":"wrap"'*|*'"op":"unwrap"'*) printf '{"ok":true,"data":"%s"}\\n' "$(printf '%s' "$data" | tr 'A-Za-z' 'a-zA-Z')" ;;
      *) exit 3 ;;
    esac
    """

@Test func aCommandThatPrintsAKeyIsAMasterKeyToo() throws {
    let folder = try Folder()
    let command = try folder.write(Array("#!/bin/sh\necho \(someMaster)\n".utf8), "print", mode: 0o700)
    _ = try RingKeeper.create(folder.path("r"), environment: ["COGNI_MASTER_KEY_COMMAND": command], now: someTime)
    #expect(try KeyRing.load(folder.path("r"), environment: ["COGNI_MASTER_KEY": someMaster]).entries.count == 1)
}

@Test func thePublicExampleOpensWithoutAnythingSetAndWarns() throws {
    let path = repository.appending(path: "Fixtures/keys/example.keyring.json").path()
    let ring = try KeyRing.load(path, environment: [:])
    #expect(ring.isExample && ring.warnings.count == 1)
    #expect(try ring.activeKey(for: "any").kid == "bjugbow2rs")
}

@Test func theExampleMayBeReadByAllButARingOfOnesOwnMayNot() throws {
    let folder = try Folder()
    let key = try DataKey(try KeyBytes(randomCount: 32))
    _ = try RingKeeper.create(folder.path("e"), environment: [:], key: key, tenant: "", now: someTime, isExample: true)
    _ = try RingKeeper.create(folder.path("o"), environment: [:], now: someTime)
    for name in ["e", "e.master", "o"] { try folder.setMode(0o644, name) }
    #expect(try KeyRing.load(folder.path("e"), environment: [:]).warnings.count == 1)
    #expect(
        fault { _ = try KeyRing.load(folder.path("o"), environment: [:]) }?.what.contains("can be read by others")
            == true
    )
    try folder.setMode(0o664, "e")
    #expect(
        fault { _ = try KeyRing.load(folder.path("e"), environment: [:]) }?.what.contains("can be written by others")
            == true
    )
}
