import Foundation
import Postgres
import ProcessTesting
import Testing
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A TCP port that leads to the server, until it is cut or frozen: the network between a worker and its database.
actor Proxy {
    private let bench: FaultBench
    private let address: String
    private let port: Int
    private var process: ChildProcess

    /// How a worker reaches the server through it.
    nonisolated let server: String

    init(to bench: FaultBench, address: String = "127.0.0.1") async throws {
        self.bench = bench
        self.address = address
        // The next free port; the proxy takes it again after each cut.
        (self.process, self.port) = try await Self.start(on: 0, of: address, bench)
        self.server = "host='\(address)' port='\(self.port)' sslmode='disable' dbname='assay' user='assay'"
    }

    /// Resets every connection, and refuses new ones until ``open()``.
    func cut() async throws {
        try await self.process.send(signal: SIGKILL)
        _ = try await self.process.waitForExit()
    }

    func open() async throws { (self.process, _) = try await Self.start(on: self.port, of: self.address, self.bench) }

    /// From now on nothing goes through, and nobody is told; the kernel still takes what is sent.
    func freeze() async throws { try await self.process.send(signal: SIGSTOP) }

    func thaw() async throws { try await self.process.send(signal: SIGCONT) }

    private static func start(
        on port: Int, of address: String, _ bench: FaultBench
    ) async throws -> (ChildProcess, Int) {
        let report = "\(bench.bench.folder)/proxy-\(UUID().uuidString)"
        let socket = try #require(
            bench.pool.configuration.connectionString.firstMatch(of: #/host='([^']+)' port='([^']+)'/#))
        let process = try await bench.loop.spawn(
            bench.bench.configuration(
                Python.interpreter, ["-c", self.script, "\(port)", "\(socket.1)/.s.PGSQL.\(socket.2)", report, address])
        )
        let chosen = try await bench.found("the proxy listens") {
            if let result = process.result { Issue.record("the proxy ended: \(result.standardError.text)") }
            return (try? String(contentsOfFile: report, encoding: .utf8)).flatMap { Int($0) }
        }
        return (process, chosen)
    }

    private static let script = """
        import asyncio, os, socket, struct, sys

        async def pump(reader, writer):
            try:
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
            except OSError:
                pass
            finally:
                writer.close()

        async def accept(reader, writer):
            # When this process is killed its connections are reset, not closed.
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            try:
                from_server, to_server = await asyncio.open_unix_connection(sys.argv[2])
            except OSError:
                writer.close()
                return
            await asyncio.gather(pump(reader, to_server), pump(from_server, writer))

        async def main():
            server = await asyncio.start_server(accept, sys.argv[4], int(sys.argv[1]), reuse_address=True)
            with open(sys.argv[3] + ".new", "w") as report:
                report.write(str(server.sockets[0].getsockname()[1]))
            os.rename(sys.argv[3] + ".new", sys.argv[3])
            await server.serve_forever()

        asyncio.run(main())
        """
}
