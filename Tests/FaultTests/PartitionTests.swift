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

extension FaultSuite {
    /// A network that is broken in one direction, or in both, without anybody being told.
    @Suite struct PartitionTests {
        static let canPartition =
            geteuid() == 0 && system("ip -V > /dev/null 2>&1 && unshare -n true 2> /dev/null") == 0
        /// On a machine that tests for others nothing is left out in silence: there it fails with the reason.
        static let mustRun = ProcessInfo.processInfo.environment["CI"] == "true"

        /// The worker reaches its store, but what it says to the database is lost, or what that answers.
        ///
        /// Somebody else takes over; when the network is whole again, the worker has commits under way whose answers it
        /// has never seen, and a lease that is long over.
        @Test(
            .enabled(if: canPartition || mustRun, "network namespaces need root, and the program ip"),
            arguments: VirtualNetwork.Direction.allCases)
        func aWorkerThatIsCutOffFromTheDatabaseLosesAndDoublesNothing(
            lost direction: VirtualNetwork.Direction
        ) async throws {
            try await FaultBench.with("partition, \(direction.rawValue) lost") { bench in
                let digest = try await References.shared.digest(of: .many)
                try await VirtualNetwork.with(bench) { network in
                    let run = try await bench.submit(.many)
                    let worker = try await bench.spawn("far", lease: 3, server: network.server, in: network)
                    for _ in 0..<3 {
                        let before = try await bench.count("shard_result")
                        try await bench.eventually("the far worker commits") {
                            try await bench.count("shard_result") > before
                        }
                        try await network.lose(direction)
                        try await bench.eventually("the far worker is thought dead") {
                            try await bench.rows("SELECT * FROM reap()")
                            return try await bench.count(
                                "worker WHERE pid = $1::int4 AND state = 'live'", worker.processID)
                                == 0
                        }
                        let heir = try await bench.spawn("near", lease: 20, "--once")
                        #expect(try await bench.summary(of: heir).committed == 1, "\(heir.logText)")
                        try await network.heal()
                    }
                    #expect(try await bench.summary(of: worker).failed == 0, "\(worker.logText)")
                    try await bench.drain()
                    try await bench.expectUndisturbed(
                        [run], of: .many, digest: digest, after: ["network that loses \(direction.rawValue)": 3])
                }
            }
        }
    }
}

/// A machine of its own, as far as the network is concerned, with a cable to this one; and the server on this end of it.
struct VirtualNetwork: Sendable {
    /// What gets lost on the way.
    enum Direction: String, CaseIterable, Sendable {
        case questions, answers, both
    }

    let name: String
    /// How the server is reached from there.
    let server: String
    private let bench: FaultBench
    private let near: End
    private let far: End

    /// One end of the cable.
    private struct End: Sendable {
        let device: String
        let address: String
    }

    /// Runs `body` with a network, and takes it down whatever happens.
    static func with(_ bench: FaultBench, _ body: (VirtualNetwork) async throws -> Void) async throws {
        let number = UInt32.random(in: 0..<(1 << 15))
        // 198.18.0.0/15 is set aside for tests of networks.
        let subnet = "198.\(18 + (number >> 14)).\((number >> 6) & 255)"
        let near = End(device: "as\(number)n", address: "\(subnet).\((number & 63) * 4 + 1)")
        let far = End(device: "as\(number)f", address: "\(subnet).\((number & 63) * 4 + 2)")
        let name = "assay-\(number)"
        do {
            try await self.run(
                """
                set -e; ip netns add \(name)
                ip link add \(near.device) type veth peer name \(far.device) netns \(name)
                ip addr add \(near.address)/30 dev \(near.device); ip link set \(near.device) up
                ip -n \(name) addr add \(far.address)/30 dev \(far.device)
                ip -n \(name) link set \(far.device) up; ip -n \(name) link set lo up
                """, bench)
            let proxy = try await Proxy(to: bench, address: near.address)
            try await body(
                VirtualNetwork(name: name, server: proxy.server, bench: bench, near: near, far: far))
            try await proxy.cut()
        } catch {
            _ = try? await self.run("ip netns del \(name); ip link del \(near.device)", bench)
            throw error
        }
        // The cable goes with its far end.
        try await self.run("ip netns del \(name)", bench)
    }

    /// From now on frames of a direction go to an address that nobody has: sender and receiver are told nothing.
    func lose(_ direction: Direction) async throws {
        let nobody = "lladdr 02:00:00:00:00:01 nud permanent"
        if direction != .answers {
            try await self.run("ip -n \(self.name) neigh replace \(self.near.address) \(nobody) dev \(self.far.device)")
        }
        if direction != .questions {
            try await self.run("ip neigh replace \(self.far.address) \(nobody) dev \(self.near.device)")
        }
    }

    func heal() async throws {
        try await self.run(
            """
            ip -n \(self.name) neigh del \(self.near.address) dev \(self.far.device) 2> /dev/null
            ip neigh del \(self.far.address) dev \(self.near.device) 2> /dev/null; true
            """)
    }

    @discardableResult
    func run(_ script: String) async throws -> String { try await Self.run(script, self.bench) }

    @discardableResult
    private static func run(_ script: String, _ bench: FaultBench) async throws -> String {
        let result = try await bench.bench.run("/bin/sh", "-c", script)
        try #require(result.termination.isSuccess, "\(script): \(result.standardError.text)")
        return result.standardOutput.text
    }
}
