import Foundation
import PageMemory
import Testing

@testable import CurlTransport

@Test(arguments: [
    ("93.184.216.34", true), ("8.8.8.8", true), ("172.32.0.1", true), ("100.128.0.1", true), ("2606:4700::1111", true),
    ("64:ff9b::808:808", true), ("2002:808:808::1", true),
    ("127.0.0.1", false), ("127.9.9.9", false), ("0.0.0.0", false), ("10.1.2.3", false), ("172.16.0.1", false),
    ("172.31.255.255", false), ("192.168.1.1", false), ("169.254.169.254", false), ("100.64.0.1", false),
    ("224.0.0.1", false), ("255.255.255.255", false), ("198.18.0.1", false), ("192.0.2.1", false),
    ("::1", false), ("::", false), ("fe80::1%eth0", false), ("fc00::1", false), ("fd12::1", false), ("ff02::1", false),
    ("::ffff:127.0.0.1", false), ("::ffff:169.254.169.254", false), ("64:ff9b::a00:1", false), ("2002:7f00:1::", false),
    ("2001:db8::1", false),
])
func addressesAreToldApartByWhoCanReachThem(text: String, isPublic: Bool) throws {
    #expect(try #require(NetworkAddress(text)).isPublic == isPublic)
}

@Test(arguments: ["", "localhost", "1.2.3", "2130706433", "0x7f000001", "1.2.3.4.5", ":::"])
func otherTextsAreNoAddresses(text: String) {
    #expect(NetworkAddress(text) == nil)
}

@Test(arguments: [
    ("10.1.0.0/16", "10.1.255.3", true), ("10.1.0.0/16", "10.2.0.1", false), ("10.1.2.3", "10.1.2.3", true),
    ("10.1.2.3", "10.1.2.4", false), ("10.1.2.0/23", "10.1.3.255", true), ("10.1.2.0/23", "10.1.4.0", false),
    ("0.0.0.0/0", "127.0.0.1", true), ("127.0.0.0/8", "::ffff:127.0.0.1", true), ("fd00::/8", "fd12::1", true),
    ("fd00::/8", "fe80::1", false), ("::1", "::1", true), ("0.0.0.0/0", "::1", false),
])
func aRangeHoldsTheAddressesThatBeginLikeIt(range: String, address: String, holds: Bool) throws {
    #expect(try #require(NetworkRange(range)).contains(try #require(NetworkAddress(address))) == holds)
}

@Test(arguments: ["", "10.0.0.0/33", "10.0.0/8", "x", "10.0.0.0/-1", "10.0.0.0/", "fe80::1%eth0", "10.0.0.0/8/8"])
func otherTextsAreNoRanges(text: String) { #expect(NetworkRange(text) == nil) }

@Test func ownNetworksLeaveOutWhereCloudsKeepCredentials() throws {
    let metadata = try #require(NetworkAddress("169.254.169.254"))
    #expect(NetworkRange.ownNetworks.count == 7)
    #expect(!NetworkRange.ownNetworks.contains { $0.contains(metadata) })
}

@Suite(.enabled(if: WireServer.isAvailable, "skipped: no python3"), .timeLimit(.minutes(10)))
struct PostTests {
    @Test func aBodyIsPostedAsItIs() async throws {
        let server = try WireServer()
        let engine = try CurlEngine()
        let body = Array("{\"a\":\"\u{0}é\"}".utf8)
        let reply = try await engine.perform(
            CurlRequest(
                url: server.url("/echo"),
                headers: [CurlHeader("Content-Type", "application/json")],
                allowsPlainHTTP: true,
                body: body
            )
        )
        #expect(reply.status == 200)
        #expect(reply.body.array == body)
    }

    @Test(arguments: ["127.0.0.1", "localhost", "0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
    func nothingIsSentToAPrivateAddressHoweverItIsSpelled(host: String) async throws {
        let server = try WireServer()
        let engine = try CurlEngine()
        do throws(CurlError) {
            _ = try await engine.perform(
                CurlRequest(
                    url: "http://\(host):\(server.port)/ok",
                    allowsPlainHTTP: true,
                    body: [1],
                    publicAddressesOnly: true
                )
            )
            Issue.record("sent to \(host)")
        } catch {
            #expect(error.cause == .privateAddress || error.number == 7, "\(error)")
        }
        let log = try await engine.perform(CurlRequest(url: server.url("/log"), allowsPlainHTTP: true))
        #expect(String(decoding: log.body.array, as: UTF8.self).contains("\"requests\": 0"))
    }
}
