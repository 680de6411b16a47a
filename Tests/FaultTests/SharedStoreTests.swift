import FaultTesting
import Foundation
import ProcessTesting
import Testing
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension FaultSuite {
    /// Several users on one store, and a store that is unmounted under a process.
    @Suite struct SharedStoreTests {
        static let isRoot = geteuid() == 0
        static let canMount = system("unshare -m true 2> /dev/null") == 0
        static let mustRun = ProcessInfo.processInfo.environment["CI"] == "true"

        /// A process of another user, with a group that they have in common.
        private static func user(_ number: Int, groups: String, umask: String) -> [String] {
            [
                "/usr/bin/setpriv", "--reuid", "\(number)", "--regid", "\(number)", "--groups", groups, "/bin/sh", "-c",
                "umask \(umask); exec \"$@\"", "sh",
            ]
        }

        @Test(.enabled(if: isRoot || mustRun, "working as other users needs root"))
        func usersOfOneGroupWorkInOneStoreUnderAnyUmask() async throws {
            try await StoreScene.with { scene in
                let root = "\(scene.folder)/shared"
                try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
                try #require(chown(root, 0, 42_000) == 0 && chmod(root, 0o2775) == 0)
                let alice = Self.user(41_001, groups: "42000", umask: "077")
                let bob = Self.user(41_002, groups: "42000", umask: "022")
                let first = try await scene.run(root, ["create", "import:a", "publish:0", "job"], by: alice)
                #expect(first.allSatisfy { $0.isGood }, "\(first)")
                let second = try await scene.run(
                    root, ["open", "import:a", "import:b", "publish:0", "publish:1", "job"], by: bob)
                #expect(second.allSatisfy { $0.isGood }, "\(second)")
                for path in scene.entries(root) {
                    var status = stat()
                    try #require(lstat("\(root)/\(path)", &status) == 0)
                    let isFolder = status.st_mode & S_IFMT == S_IFDIR
                    #expect(
                        status.st_gid == 42_000 && status.st_mode & 0o7777 == (isFolder ? 0o2775 : 0o444), "\(path)")
                }
                // Results are read-only, no matter who wrote them.
                let shard = try #require(scene.entries(root).first { $0.contains("shard-0.") })
                let overwrite = try await scene.loop.run(
                    ProcessConfiguration(
                        alice[0], Array(alice.dropFirst()) + ["/bin/sh", "-c", "echo x >> '\(root)/\(shard)'"],
                        standardError: .capture(limit: 4096)))
                #expect(!overwrite.termination.isSuccess)
                Certificate.record(["user of the store with another umask": 2], Certificate.Outcome())
            }
        }

        @Test(.enabled(if: isRoot || mustRun, "working as other users needs root"))
        func whoMayNotWriteIsToldBeforeAnythingAndWhatToChange() async throws {
            try await StoreScene.with { scene in
                let root = "\(scene.folder)/shared"
                try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
                try #require(chown(root, 0, 42_000) == 0 && chmod(root, 0o2775) == 0)
                let alice = Self.user(41_001, groups: "42000", umask: "022")
                let bob = Self.user(41_002, groups: "42000", umask: "022")
                let eve = Self.user(41_003, groups: "43000", umask: "022")
                #expect(try await scene.run(root, ["create", "publish:0"], by: alice).allSatisfy { $0.isGood })
                func refusal(_ who: [String], _ steps: [String]) async throws -> StoreScene.Line? {
                    try await scene.run(root, steps, by: who).first { !$0.isGood }
                }
                let stranger = try await refusal(eve, ["open"])
                #expect(stranger?.code == "unusableStore", "\(stranger?.description ?? "")")
                // As releases left it that followed the umask.
                for path in ["runs", "runs/k3f9m2ab", "runs/k3f9m2ab/k3f9m2ab.1"] {
                    try #require(chmod("\(root)/\(path)", 0o755) == 0)
                }
                let atStart = try await refusal(bob, ["open"])
                #expect(atStart?.code == "unusableStore" && atStart?.description.contains("2775") == true)
                try #require(chmod("\(root)/runs", 0o2775) == 0)
                let before = scene.entries(root)
                let atWork = try await refusal(bob, ["open", "publish:1"])
                #expect(atWork?.step == "publish:1" && atWork?.code == "unusableStore", "\(atWork?.description ?? "")")
                let isAsBefore = scene.entries(root) == before
                #expect(isAsBefore)
                Certificate.record(
                    ["user without the right to the store": 3], Certificate.Outcome(wrong: isAsBefore ? 0 : 1))
            }
        }

        @Test(.enabled(if: isRoot && canMount || mustRun, "mounting in a namespace of one's own needs root"))
        func nothingIsWrittenBelowAStoreThatIsUnmounted() async throws {
            try await StoreScene.with { scene in
                let (real, place) = ("\(scene.folder)/real", "\(scene.folder)/mounted")
                _ = try await scene.run(real, ["create"])
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
                let mount = "mount --bind '\(real)' '\(place)'"
                let lines = try await scene.run(
                    place,
                    [
                        "open", "publish:0", "sh:umount -l '\(place)'", "publish:1", "import:a",
                        "sh:ls -A '\(place)' | grep -c .", "sh:\(mount)", "publish:2",
                    ],
                    by: [
                        "/usr/bin/unshare", "-m", "--propagation", "private", "/bin/sh", "-c",
                        "\(mount) && exec \"$@\"",
                        "sh",
                    ])
                #expect(lines.map(\.isGood) == [true, true, true, false, false, true, true, true], "\(lines)")
                #expect(lines.filter { !$0.isGood }.allSatisfy { $0.code == "unavailableStore" }, "\(lines)")
                // `grep -c` found nothing, which is its status 1.
                #expect(lines.count == 8 && lines[5].words == ["256"], "\(lines)")
                #expect(scene.entries(place).isEmpty)
                let shards = scene.entries(real).filter { $0.hasSuffix(".h5") }
                #expect(shards.count == 2 && !shards.contains { $0.contains("shard-1.") }, "\(shards)")
            }
        }

        /// A process that is started while the share is not mounted makes no store of its own in the empty folder.
        @Test(.enabled(if: isRoot && canMount || mustRun, "mounting in a namespace of one's own needs root"))
        func noStoreIsMadeWhereNoneIsMounted() async throws {
            try await StoreScene.with { scene in
                let place = "\(scene.folder)/mounted"
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
                let lines = try await scene.run(place, ["open", "publish:0"])
                #expect(lines.allSatisfy { $0.code == "unusableStore" }, "\(lines)")
                #expect(scene.entries(place).isEmpty)
            }
        }
    }
}
