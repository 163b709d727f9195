import Foundation
import Model
import Sealing
import Testing

@testable import KeyRing

/// A ring under `someMaster`, as text to spoil.
private struct Ring {
    let folder: Folder
    let path: String
    let environment = ["COGNI_MASTER_KEY": someMaster]

    init() throws {
        folder = try Folder()
        path = folder.path("ring")
        _ = try RingKeeper.create(path, environment: environment, now: someTime)
    }

    func refusal(_ environment: [String: String]? = nil) -> Fault? {
        fault { _ = try KeyRing.load(path, environment: environment ?? self.environment) }
    }
}

@Test func everyReasonToRefuseARingHasItsOwnWordsAndAMend() throws {
    var texts: [String: String] = [:]
    func note(_ name: String, _ fault: Fault?) {
        guard let fault else {
            Issue.record("\(name) was not refused")
            return
        }
        #expect(fault.code == .cannotSeal && fault.code.exitCode == 9, "\(name)")
        #expect(!fault.mend.isEmpty, "\(name)")
        #expect(!"\(fault)".contains(someMaster), "\(name)")
        let text = fault.what.replacing(/\/\S+/, with: "PATH")
        #expect(texts.updateValue(name, forKey: text) == nil, "\(name) and \(texts[text] ?? "") say the same: \(text)")
    }
    func spoiled(_ name: String, _ change: (String) -> String) throws {
        let ring = try Ring()
        _ = try ring.folder.write(Array(change(try ring.folder.text("ring")).utf8), "ring")
        note(name, ring.refusal())
    }

    let ring = try Ring()
    try ring.folder.setMode(0o640, "ring")
    note("readable", ring.refusal())
    try ring.folder.setMode(0o620, "ring")
    note("writable", ring.refusal())
    try ring.folder.setMode(0o600, "ring")
    #expect(ring.refusal() == nil)

    try FileManager.default.createSymbolicLink(atPath: ring.folder.path("link"), withDestinationPath: ring.path)
    note("link", fault { _ = try KeyRing.load(ring.folder.path("link"), environment: ring.environment) })
    note("missing", fault { _ = try KeyRing.load(ring.folder.path("none"), environment: ring.environment) })
    note("folder", fault { _ = try KeyRing.load(ring.folder.url.path(), environment: ring.environment) })
    note("no master file", ring.refusal([:]))
    note("other master", ring.refusal(["COGNI_MASTER_KEY": Base64.standard.text([UInt8](2...33))]))
    note("two masters", ring.refusal(["COGNI_MASTER_KEY": someMaster, "COGNI_MASTER_KEY_FILE": "/x"]))
    note("zeros", ring.refusal(["COGNI_MASTER_KEY": Base64.standard.text([UInt8](repeating: 0, count: 32))]))
    note("short", ring.refusal(["COGNI_MASTER_KEY": "c2hvcnQ="]))
    note("hex", ring.refusal(["COGNI_MASTER_KEY": String(repeating: "0a", count: 32)]))
    note("relative command", ring.refusal(["COGNI_MASTER_KEY_COMMAND": "kms"]))
    note("no such command", ring.refusal(["COGNI_MASTER_KEY_COMMAND": "/nonexistent/kms"]))
    note("failing command", ring.refusal(["COGNI_MASTER_KEY_COMMAND": "/bin/false"]))
    note("silent command", ring.refusal(["COGNI_MASTER_KEY_COMMAND": "/bin/true"]))

    let raw = try ring.folder.write([UInt8](repeating: 0xC3, count: 32) + [0x0A], "raw")
    note("raw with line end", ring.refusal(["COGNI_MASTER_KEY_FILE": raw]))
    let open = try ring.folder.write([UInt8](repeating: 0xC3, count: 32), "open", mode: 0o644)
    note("readable master", ring.refusal(["COGNI_MASTER_KEY_FILE": open]))

    try spoiled("not JSON") { _ in "{" }
    try spoiled("not a ring") { _ in "{}" }
    try spoiled("other format") { $0.replacing("etl-keyring/1", with: "etl-keyring/2") }
    try spoiled("incomplete") { $0.replacing("\"generation\"", with: "\"generatio\"") }
    try spoiled("changed") { $0.replacing("\"generation\":1", with: "\"generation\":2") }
}

@Test func theLengthOfAWrongMasterKeyIsToldButNothingOfIt() throws {
    let ring = try Ring()
    let wrong = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO"
    let refused = ring.refusal(["COGNI_MASTER_KEY": wrong])
    #expect(refused?.what == "the master key in COGNI_MASTER_KEY is not a key: 41 bytes; did you mean base64?")
    #expect(refused.map { !"\($0)".contains("abcdef") } == true)
}

@Test func ringsWhoseKeysDoNotMatchTheirNamesAreRefusedThoughTheMACIsRight() throws {
    let ring = try Ring()
    let (_, file, master) = try KeyRing.open(ring.path, master: .inline(Secret(someMaster, name: "M")))
    func refusal(_ change: (inout RingFile) -> Void) throws -> String? {
        var spoiled = file
        change(&spoiled)
        spoiled.mac = try master.mac(of: spoiled.body.canonical, ring: ring.path)
        _ = try ring.folder.write(spoiled.text, "ring")
        return ring.refusal()?.what
    }
    let kid = file.keys[0].entry.kid
    #expect(try refusal { _ in } == nil)
    #expect(try refusal { $0.keys.append($0.keys[0]) } == "the key ring has the key \(kid) twice")
    #expect(try refusal { $0.keys[0].entry.kid = "aaaaaaaaaa" } == "the key aaaaaaaaaa is not named by its commitment")
    #expect(try refusal { $0.keys[0].entry.tenant = "other" } == "the key \(kid) can't be unwrapped")
    #expect(try refusal { $0.keys[0].blob?[20] ^= 1 } == "the key \(kid) can't be unwrapped")
    #expect(try refusal { $0.keys[0].entry.state = .decryptOnly } == "the key ring has no active key")
}

@Test func aCommandThatHangsIsEndedWithItsChildren() throws {
    let folder = try Folder()
    let command = try folder.write(Array("#!/bin/sh\nsleep 600 & sleep 600\n".utf8), "hang", mode: 0o700)
    let refused = fault {
        _ = try KeyHook([command], ring: "r").ask("read", kek: "kek-x", milliseconds: 100)
    }
    #expect(refused?.what.hasSuffix("gave no answer in time") == true)
}

/// Of what is cut before it is cleaned, half a secret is left, and nothing knows that any more.
@Test func aCommandsComplaintIsCleanedWholeBeforeItIsCut() throws {
    let folder = try Folder()
    let token = "glp" + "at-Ab1Cd2Ef3Gh4Ij5Kl6M7"
    for count in 160...205 {
        let told = String(repeating: "e", count: count) + " " + token
        let words = fault {
            throw RingFault.command(.failed(status: 1, words: Array("\(told)\n".utf8)), "k", "r", limit: 1)
        }
        #expect(words?.what.contains("Ab1") == false, "\(count)")
        #expect(words?.what.hasPrefix("the k ended with status 1: eeee") == (count <= 200), "\(count)")
    }
    let denying = try folder.write(
        Array("#!/bin/sh\necho '{\"ok\":false,\"error\":\"\(String(repeating: "e", count: 174)) \(token)\"}'\n".utf8),
        "d",
        mode: 0o700
    )
    let denied = fault { _ = try KeyHook([denying], ring: "r").ask("unwrap", kek: "kek-x", milliseconds: 300_000) }
    #expect(denied?.what.contains("eeee") == true)
    #expect(denied?.what.contains("Ab1") == false)
}

@Test func aCommandThatTalksTooMuchIsRefusedAndItsComplaintsAreCleaned() throws {
    let folder = try Folder()
    let loud = try folder.write(Array("#!/bin/sh\nhead -c 100000 /dev/zero\n".utf8), "loud", mode: 0o700)
    let hook = try KeyHook([loud], ring: "r")
    // A busy machine may take its time; what counts here is what is said.
    let long = 300_000
    let tooMuch = fault { _ = try hook.ask("read", kek: "kek-x", milliseconds: long) }
    #expect(tooMuch?.what.contains("more than 4096 bytes") == true, "\(tooMuch?.what ?? "nothing")")
    let key = "sk-" + "admin-abcdefghijklmnopqrstuvwxyz"
    let complaining = try folder.write(Array("#!/bin/sh\necho 'bad \(key)' >&2; exit 7\n".utf8), "c", mode: 0o700)
    let refused = fault {
        _ = try KeyHook([complaining], ring: "r").ask("read", kek: "kek-x", milliseconds: long)
    }
    #expect(refused?.what == "the master key command \(complaining) ended with status 7: bad sk-a…wxyz")
    let denying = try folder.write(
        Array("#!/bin/sh\necho '{\"ok\":false,\"error\":\"no \(key)\"}'\n".utf8),
        "d",
        mode: 0o700
    )
    let denied = fault {
        _ = try KeyHook([denying], ring: "r").ask("unwrap", kek: "kek-x", milliseconds: long)
    }
    #expect(denied?.what.hasSuffix("did not answer {\"ok\":true,\"data\":…}: no sk-a…wxyz") == true)
}

@Test func aCommandSeesNothingOfOurEnvironment() throws {
    let folder = try Folder()
    let command = try folder.write(Array("#!/bin/sh\nenv > \(folder.path("seen"))\necho x\n".utf8), "c", mode: 0o700)
    _ = try KeyHook([command], ring: "r").ask("read", kek: "kek-x")
    let names = Set(
        try folder.text("seen").split(separator: "\n").compactMap { $0.split(separator: "=").first.map(String.init) }
    )
    #expect(names.subtracting(["PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"]).isEmpty)
}
