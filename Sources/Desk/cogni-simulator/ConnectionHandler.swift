import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// One connection: reads requests with NIO's parser and writes the answers' bytes itself, so that they can also be wrong.
///
/// Connections are kept alive between requests. Clients that send a request before they have the last answer whole are not
/// provided for: behind a `drip` the answers would mix.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private let service: Service
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    /// Larger posts are cut; only `/_simulator` takes any.
    private let bodyLimit = 1 << 20

    init(_ service: Service) {
        self.service = service
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let buffer):
            if body.count < bodyLimit { body.append(contentsOf: buffer.readableBytesView) }
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let headers = head.headers
        let request = Request(
            method: head.method.rawValue,
            target: head.uri,
            authorization: headers.first(name: "authorization"),
            acceptsGzip: headers[canonicalForm: "accept-encoding"].contains { $0.hasPrefix("gzip") },
            userAgent: headers.first(name: "user-agent"),
            retryCount: headers.first(name: "x-stainless-retry-count"),
            body: body
        )
        let reply = service.answer(request)
        let staysOpen = head.isKeepAlive && reply.wire.framing != .untilClose
        send(reply, staysOpen: staysOpen, context)
    }

    private func send(_ reply: Reply, staysOpen: Bool, _ context: ChannelHandlerContext) {
        let opening = Self.opening(reply, staysOpen: staysOpen)
        let body = Self.framed(reply.body, reply.wire.framing)
        switch reply.wire.end {
        case .none:
            var buffer = context.channel.allocator.buffer(capacity: opening.count + body.count)
            buffer.writeBytes(opening)
            buffer.writeBytes(body)
            write(buffer, thenClose: !staysOpen, context)
        case .resetAtOnce: reset(context)
        case .reset(let count):
            let channel = context.channel
            let bytes = ByteBuffer(bytes: opening + body.prefix(max(0, count)))
            context.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated().whenComplete { _ in
                // A moment for the bytes to arrive: an RST overtakes what is still in the peer's buffer.
                context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(30)) {
                    if channel.isActive { self.reset(context) }
                }
            }
        case .finish(let count):
            write(ByteBuffer(bytes: opening + body.prefix(max(0, count))), thenClose: true, context)
        case .drip(let bytes, let milliseconds):
            drip((opening + body)[...], bytes, .milliseconds(Int64(milliseconds)), thenClose: !staysOpen, context)
        case .endless:
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: opening)), promise: nil)
            pour(context)
        case .stall(let stage, let seconds):
            let sent: [UInt8] =
                switch stage {
                case .accept: []
                case .headers: opening
                case .body: opening + body.prefix(body.count / 2)
                }
            if !sent.isEmpty { context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: sent)), promise: nil) }
            context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Int64(seconds))) {
                context.close(promise: nil)
            }
        }
    }

    /// One more chunk whenever the last one has left, for as long as the client takes them.
    private func pour(_ context: ChannelHandlerContext) {
        let chunk = Array("10000\r\n".utf8) + Array(repeating: UInt8(ascii: " "), count: 65_536) + [13, 10]
        let written = context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: chunk)))
        written.assumeIsolated().whenSuccess { if context.channel.isActive { self.pour(context) } }
    }

    private func write(_ buffer: ByteBuffer, thenClose: Bool, _ context: ChannelHandlerContext) {
        let written = context.writeAndFlush(wrapOutboundOut(buffer))
        guard thenClose else { return }
        written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    private func drip(
        _ bytes: ArraySlice<UInt8>,
        _ count: Int,
        _ pause: TimeAmount,
        thenClose: Bool,
        _ context: ChannelHandlerContext
    ) {
        guard context.channel.isActive else { return }
        let rest = bytes.dropFirst(count)
        write(ByteBuffer(bytes: bytes.prefix(count)), thenClose: thenClose && rest.isEmpty, context)
        guard !rest.isEmpty else { return }
        context.eventLoop.assumeIsolated().scheduleTask(in: pause) {
            self.drip(rest, count, pause, thenClose: thenClose, context)
        }
    }

    /// Closes with an RST in place of a FIN: a linger time of 0 makes the kernel drop the connection.
    private func reset(_ context: ChannelHandlerContext) {
        guard let channel = context.channel as? any SocketOptionProvider else {
            context.close(promise: nil)
            return
        }
        channel.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    private static func opening(_ reply: Reply, staysOpen: Bool) -> [UInt8] {
        var text = String(
            repeating: "HTTP/1.1 103 Early Hints\r\nlink: </>; rel=preload\r\n\r\n",
            count: reply.wire.hints
        )
        text += "HTTP/1.1 \(reply.status) \(Reply.reasons[reply.status] ?? "Status")\r\n"
        if !reply.contentType.isEmpty { text += "content-type: \(reply.contentType)\r\n" }
        for (name, value) in reply.headers { text += "\(name): \(value)\r\n" }
        switch reply.wire.framing {
        case .length where reply.status == 204 || reply.status == 304: break
        case .length: text += "content-length: \(reply.body.count)\r\n"
        case .chunked: text += "transfer-encoding: chunked\r\n"
        case .untilClose: break
        }
        if !staysOpen { text += "connection: close\r\n" }
        return Array((text + "\r\n").utf8)
    }

    /// Chunks of 4 KiB, so that a cut falls inside one.
    private static func framed(_ body: [UInt8], _ framing: WirePlan.Framing) -> [UInt8] {
        guard framing == .chunked else { return body }
        var output: [UInt8] = []
        for start in stride(from: 0, to: body.count, by: 4096) {
            let chunk = body[start..<min(start + 4096, body.count)]
            output += Array((String(chunk.count, radix: 16) + "\r\n").utf8) + chunk + [13, 10]
        }
        return output + Array("0\r\n\r\n".utf8)
    }
}
