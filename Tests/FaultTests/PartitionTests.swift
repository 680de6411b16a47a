import FaultTesting
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
    /// A network that loses something in one direction, or in both, without anybody being told.
    @Suite struct PartitionTests {
        static let canPartition =
            geteuid() == 0 && access("/dev/net/tun", R_OK | W_OK) == 0
            && system("ip -V > /dev/null 2>&1 && unshare -n true 2> /dev/null") == 0
        /// On a machine that tests for others nothing is left out in silence: there it fails with the reason.
        static let mustRun = ProcessInfo.processInfo.environment["CI"] == "true"

        /// The worker reaches its store, but what it says to the database is lost, or what that answers.
        ///
        /// Somebody else takes over; when the network is whole again, the worker has commits under way whose answers it
        /// has never seen, and a lease that is long over.
        @Test(
            .enabled(if: canPartition || mustRun, "a network of one's own needs root, /dev/net/tun and the program ip"),
            arguments: VirtualNetwork.Direction.allCases)
        func aWorkerThatIsCutOffFromTheDatabaseLosesAndDoublesNothing(
            lost direction: VirtualNetwork.Direction
        ) async throws {
            try await FaultBench.with("partition, \(direction.rawValue) lost") { bench in
                let digest = try await References.shared.digest(of: .many)
                try await VirtualNetwork.with(bench) { network in
                    let run = try await bench.submit(.many)
                    let worker = try await bench.spawn("far", lease: 3, server: network.server, by: network.command)
                    for _ in 0..<3 {
                        let before = try await bench.count("shard_result")
                        try await bench.eventually("the far worker commits") {
                            try await bench.count("shard_result") > before
                        }
                        try network.lose(direction)
                        try await bench.eventually("the far worker is thought dead") {
                            try await bench.rows("SELECT * FROM reap()")
                            return try await bench.count(
                                "worker WHERE pid = $1::int4 AND state = 'live'", worker.processID)
                                == 0
                        }
                        let heir = try await bench.spawn("near", lease: 20, "--once")
                        #expect(try await bench.summary(of: heir).committed == 1, "\(heir.logText)")
                        try network.heal()
                    }
                    #expect(try await bench.summary(of: worker).failed == 0, "\(worker.logText)")
                    try await bench.drain()
                    try await bench.expectUndisturbed(
                        [run], of: .many, digest: digest, after: ["cut of a network (\(direction.rawValue))": 3])
                }
            }
        }

        /// The worker reaches its store, and nobody else comes: it finishes, waits, and commits when the database is back.
        @Test(
            .enabled(if: canPartition || mustRun, "a network of one's own needs root, /dev/net/tun and the program ip"))
        func whatIsFinishedWhileTheDatabaseIsOutOfReachCountsAfterwards() async throws {
            try await FaultBench.with("partition, finished meanwhile") { bench in
                let digest = try await References.shared.digest(of: .one)
                try await VirtualNetwork.with(bench) { network in
                    let run = try await bench.submit(.one)
                    let worker = try await bench.spawn("far", lease: 3, server: network.server, by: network.command)
                    // Not by the database, which knows of a claim before its answer has arrived.
                    try await bench.eventually("the far worker has a shard") {
                        worker.logText.contains("loading model")
                    }
                    try network.lose(.both)
                    try await bench.eventually("the result stands in the store") {
                        try bench.storedFiles().contains { $0.contains(".shard-") && !$0.hasSuffix(".tmp") }
                    }
                    try await bench.eventually("the far worker is thought dead") {
                        try await bench.rows("SELECT * FROM reap()")
                        return try await bench.count("worker WHERE state = 'live'") == 0
                    }
                    #expect(try await bench.count("shard_result") == 0 && worker.child.result == nil)
                    // It may still be committed, so it is no garbage.
                    #expect(try await bench.collectGarbage() == 0)
                    try network.heal()
                    let summary = try await bench.summary(of: worker)
                    #expect((summary.committed, summary.fenced, summary.failed) == (1, 0, 0), "\(worker.logText)")
                    #expect(try await bench.count("shard_result WHERE epoch = 1") == 1)
                    try await bench.expectUndisturbed(
                        [run], of: .one, digest: digest, after: ["cut of a network (finished meanwhile)": 1])
                }
            }
        }

        /// Every fourth frame is lost, in both directions, all the time.
        @Test(
            .enabled(if: canPartition || mustRun, "a network of one's own needs root, /dev/net/tun and the program ip"))
        func aLossyNetworkLosesAndDoublesNothing() async throws {
            try await FaultBench.with("lossy network") { bench in
                let digest = try await References.shared.digest(of: .few)
                try await VirtualNetwork.with(bench) { network in
                    let run = try await bench.submit(.few)
                    try network.lose(.both, percent: 25)
                    var workers: [WorkerProcess] = []
                    for number in 0..<2 {
                        workers.append(
                            try await bench.spawn(
                                "far-\(number)", lease: 6, server: network.server, by: network.command))
                    }
                    try await bench.eventually("the run ends", within: .seconds(180)) {
                        try await bench.count("shard_result") == FaultJob.few.shards
                    }
                    let frames = try network.lostFrames()
                    try network.heal()
                    for worker in workers {
                        #expect(try await bench.summary(of: worker).failed == 0, "\(worker.logText)")
                    }
                    #expect(frames > 20, "the network lost hardly anything")
                    try await bench.drain()
                    try await bench.expectUndisturbed([run], of: .few, digest: digest, after: ["frame lost": frames])
                }
            }
        }
    }
}

/// A machine of its own, as far as the network is concerned, with a cable to this one; and the server on this end of it.
///
/// The cable is a process between two network devices, which drops frames at random: the kernel's own loss (netem) is a
/// module that few machines have.
struct VirtualNetwork: Sendable {
    /// What gets lost on the way.
    enum Direction: String, CaseIterable, Sendable {
        case questions, answers, both
    }

    /// What a program is started by to run there.
    let command: [String]
    /// How the server is reached from there.
    let server: String
    /// A percentage for each direction, and how many frames were dropped; the cable maps it into memory.
    private let state: String

    /// Runs `body` with a network, and takes it down whatever happens.
    static func with(_ bench: FaultBench, _ body: (VirtualNetwork) async throws -> Void) async throws {
        let number = UInt32.random(in: 0..<(1 << 15))
        // 198.18.0.0/15 is set aside for tests of networks.
        let subnet = "198.\(18 + (number >> 14)).\((number >> 6) & 255)"
        let (near, far) = ("\(subnet).\((number & 63) * 4 + 1)", "\(subnet).\((number & 63) * 4 + 2)")
        let (nearDevice, farDevice) = ("as\(number)n", "as\(number)f")
        let name = "assay-\(number)"
        let state = "\(bench.bench.folder)/cable-\(number)"
        try Data(count: 8).write(to: URL(filePath: state))
        var seed = Seed.generator("cable")
        let cable = try await bench.loop.spawn(
            bench.bench.configuration(
                Python.interpreter, ["-c", self.script, nearDevice, farDevice, state, "\(seed.next())"]))
        do {
            try await bench.eventually("the cable is there") {
                if let result = cable.result { Issue.record("the cable ended: \(result.standardError.text)") }
                return access("\(state).ready", F_OK) == 0
            }
            // Who asks for an address hears of a broken cable: neighbors that are known need not be asked for.
            try await self.run(
                """
                set -e; ip netns add \(name); ip link set \(farDevice) netns \(name)
                ip link set \(nearDevice) address 02:00:00:00:00:01
                ip -n \(name) link set \(farDevice) address 02:00:00:00:00:02
                ip addr add \(near)/30 dev \(nearDevice); ip link set \(nearDevice) up
                ip -n \(name) addr add \(far)/30 dev \(farDevice); ip -n \(name) link set \(farDevice) up
                ip -n \(name) link set lo up
                ip neigh replace \(far) lladdr 02:00:00:00:00:02 nud permanent dev \(nearDevice)
                ip -n \(name) neigh replace \(near) lladdr 02:00:00:00:00:01 nud permanent dev \(farDevice)
                """, bench)
            let proxy = try await Proxy(to: bench, address: near)
            try await body(
                VirtualNetwork(
                    command: ["/usr/sbin/ip", "netns", "exec", name], server: proxy.server, state: state))
            try await proxy.cut()
        } catch {
            try await self.takeDown(cable, name, bench)
            throw error
        }
        try await self.takeDown(cable, name, bench)
    }

    /// Both devices go with the cable.
    private static func takeDown(_ cable: ChildProcess, _ name: String, _ bench: FaultBench) async throws {
        try? await cable.send(signal: SIGKILL)
        _ = try await cable.waitForExit()
        try await self.run("ip netns del \(name) 2> /dev/null || true", bench)
    }

    /// Loses the frames of a direction from now on, all of them or so many of a hundred, and tells nobody.
    func lose(_ direction: Direction, percent: UInt8 = 100) throws {
        try self.set(direction == .answers ? 0 : percent, direction == .questions ? 0 : percent)
    }

    func heal() throws { try self.set(0, 0) }

    func lostFrames() throws -> Int {
        let bytes = try Data(contentsOf: URL(filePath: self.state))
        return bytes.dropFirst(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private func set(_ questions: UInt8, _ answers: UInt8) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: self.state))
        try file.write(contentsOf: Data([questions, answers]))
        try file.close()
    }

    private static func run(_ script: String, _ bench: FaultBench) async throws {
        let result = try await bench.bench.run("/bin/sh", "-c", script)
        try #require(result.termination.isSuccess, "\(script): \(result.standardError.text)")
    }

    private static let script = """
        import fcntl, mmap, os, random, select, struct, sys

        def device(name):
            tap = os.open("/dev/net/tun", os.O_RDWR)
            # TUNSETIFF: whole frames (IFF_TAP), nothing before them (IFF_NO_PI).
            fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1002))
            return tap

        near, far = device(sys.argv[1]), device(sys.argv[2])
        random.seed(int(sys.argv[4]))
        state = mmap.mmap(os.open(sys.argv[3], os.O_RDWR), 8)
        open(sys.argv[3] + ".ready", "w").close()
        lost = 0
        while True:
            for tap in select.select([near, far], [], [])[0]:
                frame = os.read(tap, 65536)
                # What comes from afar are questions.
                if random.random() * 100 < state[0 if tap == far else 1]:
                    lost += 1
                    struct.pack_into("<I", state, 4, lost)
                    continue
                try:
                    os.write(near if tap == far else far, frame)
                except OSError:
                    pass  # The other end is not up.
        """
}
