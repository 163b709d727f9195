import Foundation
import Testing

@testable import CurlTransport

/// A server with a certificate of our own making, for 127.0.0.1 only.
private struct SecureServer {
    let folder: Folder
    let server: WireServer
    var certificate: String { folder.file("cert.pem") }

    static let isAvailable =
        WireServer.isAvailable && FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")

    init(days: Int = 2, arguments: [String] = []) throws {
        folder = try Folder()
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "\(days)", "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder.file("key.pem"), "-out",
            folder.file("cert.pem"),
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        server = try WireServer(arguments: [folder.file("cert.pem"), folder.file("key.pem")] + arguments)
    }

    func get(host: String = "127.0.0.1", trusting: String?) async -> Result<Int, CurlError> {
        do throws(CurlError) {
            let engine = try CurlEngine(certificateAuthorities: trusting)
            return .success(try await engine.perform(CurlRequest(url: "https://\(host):\(server.port)/ok")).status)
        } catch {
            return .failure(error)
        }
    }
}

@Suite(.enabled(if: SecureServer.isAvailable, "skipped: no python3 or openssl"), .timeLimit(.minutes(10)))
struct CertificateTests {
    @Test func aTrustedCertificateIsAccepted() async throws {
        let secure = try SecureServer()
        #expect(await secure.get(trusting: secure.certificate) == .success(200))
    }

    @Test func aSelfSignedCertificateIsRefused() async throws {
        let secure = try SecureServer()
        guard case .failure(let error) = await secure.get(trusting: nil) else {
            Issue.record("accepted")
            return
        }
        #expect(error.number == 60)
        #expect(error.reason.lowercased().contains("certificate"))
    }

    @Test func aCertificateForAnotherNameIsRefused() async throws {
        let secure = try SecureServer()
        guard case .failure(let error) = await secure.get(host: "localhost", trusting: secure.certificate) else {
            Issue.record("accepted")
            return
        }
        #expect(error.number == 60)
    }

    @Test func protocolsOlderThanTLS12AreRefused() async throws {
        let secure = try SecureServer(arguments: ["tls1.1"])
        guard case .failure(let error) = await secure.get(trusting: secure.certificate) else {
            Issue.record("accepted")
            return
        }
        #expect(error.number == 35)
    }
}
