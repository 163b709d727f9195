import NIOCore
import NIOHTTP1
import NIOPosix

/// The listening socket. One thread serves every connection, so the service needs no locks.
struct Server {
    let channel: any Channel
    private let group: MultiThreadedEventLoopGroup

    var port: Int { channel.localAddress?.port ?? 0 }

    static func start(host: String, port: Int, service: Service) throws -> Server {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)),
                        ConnectionHandler(service)
                    )
                }
            }
            .bind(host: host, port: port)
            .wait()
        return Server(channel: channel, group: group)
    }

    func stop() {
        channel.close(promise: nil)
    }

    /// Waits until the listening socket is closed, then drops what is still open.
    func waitUntilClosed() throws {
        try channel.closeFuture.wait()
        try group.syncShutdownGracefully()
    }
}
