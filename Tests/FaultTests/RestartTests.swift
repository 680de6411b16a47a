import Foundation
import Postgres
import ProcessTesting
import Testing
import UVEventLoop

extension FaultSuite {
    /// A server that goes down as in a crash while workers claim, commit and renew their leases.
    @Suite struct RestartTests {
        @Test func crashesOfTheServerLoseAndDoubleNothing() async throws {
            try await FaultBench.with("restarts") { bench in
                let digest = try await References.shared.digest(of: .many)
                var random = Seed.generator("restarts")
                let first = try await bench.submit(.many)
                var workers: [WorkerProcess] = []
                for number in 0..<3 { workers.append(try await bench.spawn("worker-\(number)", lease: 10)) }
                let supply = Task { try await Self.supplyWork(bench) }
                defer { supply.cancel() }
                var hits: [Call: Int] = [:]
                for call in (Call.allCases + Call.allCases).shuffled(using: &random) {
                    let worker = try #require(workers.randomElement(using: &random))
                    let pause = Duration.milliseconds(Int.random(in: 0...400, using: &random))
                    let wasHit = try await bench.holdingUp(call, of: worker, within: .seconds(15)) {
                        try await bench.loop.sleep(for: pause)
                        try await bench.crashServer()
                    }
                    if wasHit { hits[call, default: 0] += 1 } else { try await bench.crashServer() }
                }
                supply.cancel()
                let runs = [first] + (try await supply.value)
                print("fault tests: 6 crashes of the server, during \(hits)")
                for call in Call.allCases { #expect(hits[call, default: 0] >= 1, "\(call), seed \(Seed.value)") }
                for worker in workers {
                    let summary = try await bench.summary(of: worker)
                    #expect(summary.failed == 0, "\(worker.logText)")
                }
                try await bench.drain()
                try await bench.expectUndisturbed(
                    runs, of: .many, digest: digest,
                    after: ["crash of the server during calls": hits.values.reduce(0, +)])
            }
        }

        /// Submits another run whenever the work runs short: a worker that has left can't be hit.
        ///
        /// What comes while the server is down is refused, or its answer is lost.
        private static func supplyWork(_ bench: FaultBench) async throws -> [String] {
            let open = "SELECT FROM shard WHERE state IN ('ready', 'blocked') LIMIT 100"
            var runs: [String] = []
            while !Task.isCancelled {
                if let rows = try? await bench.rows(open), rows.count < 100, let run = try? await bench.submit(.many) {
                    runs.append(run)
                }
                try? await bench.loop.sleep(for: .milliseconds(50))
            }
            return runs
        }
    }
}

extension FaultBench {
    func crashServer() async throws { try await self.controlServer("restart") }

    /// `pg_ctl -m immediate`, as the account that runs the server.
    ///
    /// - Parameter environment: What the server has beside the bare minimum.
    func controlServer(_ command: String, _ environment: [String: String] = [:]) async throws {
        let data = "\(self.bench.home)/postgres/data"
        // How it was started the last time, with the program in front: a start after a stop takes the same.
        let options = try String(contentsOfFile: "\(data)/postmaster.opts", encoding: .utf8)
            .trimmingCharacters(in: .newlines)
        let owner = try FileManager.default.attributesOfItem(atPath: data)
        let (user, group) = (owner[.ownerAccountID] as? NSNumber, owner[.groupOwnerAccountID] as? NSNumber)
        let identity = ProcessConfiguration.Identity(
            userID: user?.uint32Value ?? 0, groupID: group?.uint32Value ?? 0)
        let program = String(options.prefix { $0 != " " })
        let control = URL(filePath: program).deletingLastPathComponent().appending(path: "pg_ctl").path()
        let arguments =
            command == "start" ? ["-o", String(options.dropFirst(program.count))] : ["-m", "immediate"]
        let result = try await self.loop.run(
            ProcessConfiguration(
                control,
                [
                    command, "-D", data, "-w", "-s", "-l", "\(self.bench.home)/postgres/log/server.log",
                ] + arguments,
                environment: environment.merging(["PATH": "/usr/bin:/bin", "LC_ALL": "C"]) { own, _ in own },
                workingDirectory: "/", standardOutput: .null,
                standardError: .capture(limit: 4096), hasOwnGroup: true,
                identity: getuid() == identity.userID ? nil : identity))
        try #require(result.termination.isSuccess, "\(result.standardError.text)")
    }
}
