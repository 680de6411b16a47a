import Foundation
import ProcessTesting
import Testing
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Machines, shells and disks as users have them: it works, or one sentence says what is wrong and what to do.
@Suite(.timeLimit(.minutes(10))) struct EnvironmentTests {
    /// Needs what mounting needs, and mounts nothing.
    static let canMount = system("unshare -m true 2> /dev/null") == 0

    /// What libpq would read, each with a value that keeps it from the embedded server.
    private static let variables = [
        "PGHOST": "/nowhere", "PGHOSTADDR": "127.0.0.2", "PGPORT": "1", "PGUSER": "nobody", "PGDATABASE": "nowhere",
        "PGPASSWORD": "geheim", "PGPASSFILE": "/nowhere", "PGREQUIREPEER": "nobody", "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/nowhere", "PGCHANNELBINDING": "require", "PGGSSENCMODE": "require", "PGSERVICE": "nowhere",
        "PGSERVICEFILE": "/nowhere", "PGSYSCONFDIR": "/nowhere", "PGOPTIONS": "-c search_path=nowhere -c nonsense=1",
        "PGCLIENTENCODING": "LATIN1", "PGDATESTYLE": "nonsense", "PGTZ": "Nowhere/City", "PGGEQO": "nonsense",
        "PGTARGETSESSIONATTRS": "standby", "PGCONNECT_TIMEOUT": "0", "PGAPPNAME": "other", "PGDATA": "/nowhere",
        "PGKRBSRVNAME": "x", "PGSSLMINPROTOCOLVERSION": "TLSv9", "PGLOCALEDIR": "/nowhere",
    ]

    @Test func theEmbeddedServerKnowsNothingOfLibpqsEnvironment() async throws {
        try await Workbench.with { bench in
            var odd = bench
            odd.environment.merge(Self.variables) { $1 }
            try await odd.assay("down")
            try await odd.assay("up")
            #expect(try await odd.answer([RunAnswer].self, "list").isEmpty)
            odd.environment["ASSAY_HOME"] = "\(bench.folder)/new"
            try await odd.assay("up")
            let doctor = try await odd.assay("doctor")
            #expect(doctor.contains("not used: PGAPPNAME") && doctor.contains("PGHOSTADDR, PGKRBSRVNAME"), "\(doctor)")
            #expect(!doctor.contains("geheim"))
            try await odd.assay("down")
        }
    }

    /// A database that has a store somewhere else must not be given a second one.
    @Test func aStoreIsToBeMadeOnlyWhereTheDatabaseHasNone() async throws {
        try await Workbench.with { bench in
            let (shared, other) = ("\(bench.folder)/shared", "\(bench.folder)/other")
            var young = bench
            young.environment["ASSAY_HOME"] = "\(bench.folder)/new"
            young.environment["ASSAY_STORE"] = shared
            try await young.assay("up")
            func refusal(_ store: String) async throws -> String {
                var place = young
                place.environment["ASSAY_STORE"] = store
                let result = try await place.run("assay", "results", "gc")
                #expect(result.termination == .exited(status: 1))
                return result.standardError.text
            }
            let missing = try await refusal(shared)
            #expect(missing.contains("\(shared): there is no such folder"), "\(missing)")
            #expect(missing.contains("Make one with `assay store create \(shared)`"), "\(missing)")
            #expect(try await refusal(other).contains("`assay store create \(other)`"))
            #expect(
                try await young.run("assay", "doctor").standardOutput.text.contains("`assay store create \(shared)`"))
            let below = try await young.run("assay", "store", "create", "\(shared)/below")
            #expect(
                below.standardError.text.contains("the folder above it is not there"), "\(below.standardError.text)")
            try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: false)
            let empty = try await refusal(shared)
            #expect(empty.contains("this folder is no store") && empty.contains("`assay store create \(shared)`"))

            try await young.assay("store", "create", shared)
            try await young.assay("results", "gc")
            let elsewhere = try await refusal(other)
            #expect(elsewhere.contains("there is no such folder") && elsewhere.contains("adopted at \(shared)"))
            #expect(!elsewhere.contains("store create"), "\(elsewhere)")
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
            let unmounted = try await refusal(other)
            #expect(unmounted.contains("adopted at \(shared)") && unmounted.contains("`assay store adopt`"))
            #expect(!unmounted.contains("store create"), "\(unmounted)")
            try await young.assay("down")
        }
    }

    /// What says where the server is fills gaps of the URL; what changes the meaning of statements has no say.
    @Test func aURLIsCompletedByTheEnvironment() async throws {
        try await Workbench.with { bench in
            let record = try String(contentsOfFile: "\(bench.home)/postgres.json", encoding: .utf8)
            let socket = try #require(record.firstMatch(of: #/"socketFolder" : "([^"]*)"/#)?.1)
            var other = bench
            other.environment.merge([
                "ASSAY_DATABASE_URL": "postgres://assay@/assay", "PGHOST": String(socket), "PGPORT": "5432",
                "PGOPTIONS": "-c search_path=nowhere", "PGTZ": "Nowhere/City", "PGTARGETSESSIONATTRS": "standby",
            ]) { $1 }
            #expect(try await other.answer([RunAnswer].self, "list").isEmpty)
            let doctor = try await other.assay("doctor")
            #expect(doctor.contains("is silent: PGHOST, PGPORT;"), "\(doctor)")
            #expect(doctor.contains("not used: PGOPTIONS, PGTARGETSESSIONATTRS, PGTZ"), "\(doctor)")
        }
    }

    @Test(arguments: [
        "postgres://me:geheim@127.0.0.1:1/x", "host=127.0.0.1 port=1 user=me password=geheim dbname=x",
        "postgres://me:geh/eim@127.0.0.1/x", "postgres://me:geheim@no.such.host.invalid/x",
        "postgres://me:geheim@127.0.0.1:1/x?sslmode=nonsense", "postgres://me:geheim@127.0.0.1:1/x?pool_size=3",
    ])
    func passwordsAreNeverShown(url: String) async throws {
        let loop = try EventLoop(name: "passwords")
        let program = "\(Workbench.programs)/assay"
        for (arguments, variable) in [(["--database-url", url], nil), ([], url)] as [([String], String?)] {
            var environment = ["PATH": "/usr/bin:/bin", "ASSAY_LOG": "trace"]
            environment["ASSAY_DATABASE_URL"] = variable
            for command in [["list"], ["doctor"], ["migrate"]] {
                let result = try await loop.run(
                    ProcessConfiguration(
                        program, command + arguments, environment: environment, workingDirectory: "/tmp",
                        standardOutput: .capture(limit: 1 << 20), standardError: .capture(limit: 1 << 20)))
                let text = result.standardOutput.text + result.standardError.text
                #expect(!result.termination.isSuccess)
                #expect(!text.contains("geh") && !text.contains("eim@") && !text.contains("Fatal"), "\(text)")
                // Seen by everybody in ps, unless the URL can't be read at all.
                let isReadable = !url.contains("geh/eim") && !url.contains("pool_size")
                #expect(text.contains("warning: everybody") == (variable == nil && isReadable), "\(text)")
            }
        }
        await loop.shutDown()
    }

    /// In a namespace of its own, so that nothing of it is seen elsewhere.
    private func answer(_ bench: Workbench, _ script: String) async throws -> String {
        let result = try await bench.run("/usr/bin/unshare", "-m", "/bin/sh", "-c", script)
        #expect(!result.termination.isSuccess)
        return result.standardOutput.text + result.standardError.text
    }

    @Test(.enabled(if: canMount, "mounting needs root"))
    func disksThatTakeNothingAreSaid() async throws {
        try await Workbench.with { bench in
            let disk = "\(bench.folder)/disk"
            try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
            let up = "'\(Workbench.programs)/assay' up --home '\(disk)/home'"
            let mount = "mount -t tmpfs -o mode=0755,size="
            let full = try await self.answer(bench, "\(mount)8m none '\(disk)' && \(up)")
            #expect(full.contains("No space left on device") && full.contains("the disk is full"), "\(full)")
            let nothing = try await self.answer(
                bench, "\(mount)4k none '\(disk)' && head -c 4096 /dev/zero > '\(disk)/x'; \(up)")
            #expect(nothing.contains("No space left on device") && nothing.contains("make room"), "\(nothing)")
            let readOnly = try await self.answer(
                bench, "\(mount)8m none '\(disk)' && mount -o remount,ro '\(disk)' && \(up)")
            #expect(readOnly.contains("Read-only file system") && readOnly.contains("--home"), "\(readOnly)")
            // A home that has worked, on a disk that has become read-only meanwhile.
            let later = try await self.answer(
                bench,
                "\(mount)200m none '\(disk)' && \(up) && \(up.replacing(" up ", with: " down ")) && "
                    + "mount -o remount,ro '\(disk)' && \(up)")
            #expect(later.contains("Read-only file system") && later.contains("--home"), "\(later)")
        }
    }

    @Test(.enabled(if: canMount, "mounting needs root"))
    func aMachineWithoutTimeZonesIsSaid() async throws {
        try await Workbench.with { bench in
            let empty = "\(bench.folder)/empty"
            try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: false)
            let text = try await self.answer(
                bench, "mount --bind '\(empty)' /usr/share/zoneinfo && '\(Workbench.programs)/assay' doctor")
            #expect(text.contains("no time zone database in /usr/share/zoneinfo: install tzdata"), "\(text)")
            #expect(text.contains("database: reached"), "\(text)")
        }
    }
}
