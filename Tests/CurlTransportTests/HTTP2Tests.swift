import Foundation
import Testing

@testable import CurlTransport

/// nginx with TLS and HTTP/2 on a free port of loopback.
private final class SecondServer {
    static let nginx = "/usr/sbin/nginx"
    static let isAvailable = ["/usr/bin/openssl", nginx].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    let folder: Folder
    let port: Int
    private let process = Process()
    var certificate: String { folder.file("cert.pem") }

    init() throws {
        folder = try Folder()
        port = try {
            let probe = try WireServer(); return probe.port
        }()  // free again when the probe is gone
        try SecondServer.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder.file("key.pem"), "-out", certificate,
            ]
        )
        try Data(#"{"data":[]}"#.utf8).write(to: folder.url.appending(path: "page.json"))
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder.file($0));" }.joined(separator: " ")
        let configuration = """
            daemon off; master_process off; pid \(folder.file("pid")); error_log \(folder.file("error.log"));
            events { worker_connections 64; }
            http { access_log off; \(temporary)
              server { listen 127.0.0.1:\(port) ssl http2; root \(folder.path);
                ssl_certificate \(certificate); ssl_certificate_key \(folder.file("key.pem")); } }
            """
        try Data(configuration.utf8).write(to: folder.url.appending(path: "nginx.conf"))
        process.executableURL = URL(fileURLWithPath: SecondServer.nginx)
        process.arguments = ["-c", folder.file("nginx.conf")]
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        // It inherits the blocked signals of the thread that started it: nothing gentler reaches it.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    private static func run(_ path: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
    }
}

@Suite(
    .enabled(if: SecondServer.isAvailable && WireServer.isAvailable, "skipped: no nginx, openssl or python3"),
    .timeLimit(.minutes(10))
)
struct HTTP2Tests {
    @Test func manyRequestsShareOneHTTP2Connection() async throws {
        let server = try SecondServer()
        let engine = try CurlEngine(certificateAuthorities: server.certificate)
        let request = CurlRequest(url: "https://127.0.0.1:\(server.port)/page.json")
        var first: CurlReply?
        for _ in 0..<500 where first == nil {  // until nginx listens
            first = try? await engine.perform(request)
            if first == nil { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(try #require(first).isHTTP2)
        #expect(first?.isDelimited == true)
        let connections = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { try await engine.perform(request).newConnections } }
            return try await group.reduce(0, +)
        }
        #expect(connections == 0)
    }
}
