import Foundation
import Glibc
import Reporting
import Testing

@Suite("Versions of reports")
struct ReportLibraryTests {
    let folder: Folder
    let library: ReportLibrary
    let name: ReportName

    init() throws {
        self.folder = try Folder()
        self.library = ReportLibrary(store: self.folder.path)
        self.name = try ReportName("demo")
    }

    func files(_ change: (inout ReportInput) -> Void = { _ in }, toolVersion: String = "1") throws -> ReportFiles {
        var input = Sample.run
        change(&input)
        return try ReportFiles(input, name: self.name, toolVersion: toolVersion)
    }

    @Test("The first build writes v1 with every file")
    func first() throws {
        let files = try self.files()
        let published = try self.library.publish(files)
        #expect(published.version == 1)
        #expect(published.isNew)
        #expect(try self.folder.entries("reports/demo") == ["v1"])
        #expect(try self.folder.entries("reports/demo/v1") == files.contents.keys.sorted())
        for (file, content) in files.contents {
            #expect(try self.folder.read("reports/demo/v1/\(file)") == content)
        }
    }

    @Test("The same inputs give no new version, others do")
    func versions() throws {
        _ = try self.library.publish(self.files())
        let again = try self.library.publish(self.files())
        #expect(again.version == 1)
        #expect(!again.isNew)

        let other = try self.library.publish(self.files { $0.jobs[0].samples.metrics[0].values[0] = 0 })
        #expect(other.version == 2)
        #expect(other.isNew)
        #expect(try self.library.publish(self.files(toolVersion: "2")).version == 3)
        // Inputs that were reported before have their version.
        let first = try self.library.publish(self.files())
        #expect(first.version == 1)
        #expect(!first.isNew)
        #expect(try self.library.versions(of: self.name) == [1, 2, 3])
        #expect(try self.library.newestVersion(of: self.name) == 3)
        #expect(try self.library.names() == [self.name])
    }

    @Test("A gap between versions is not filled")
    func gap() throws {
        _ = try self.library.publish(self.files())
        _ = try self.library.publish(self.files(toolVersion: "2"))
        try self.folder.remove("reports/demo/v1")
        #expect(try self.library.publish(self.files()).version == 3)
    }

    @Test("Builders at once give one version per input and leave nothing behind")
    func concurrent() async throws {
        let inputs = try (0..<4).map { try self.files(toolVersion: "\($0)") }
        let library = self.library
        let published = try await withThrowingTaskGroup(of: PublishedReport.self) { group in
            for number in 0..<24 {
                group.addTask { try library.publish(inputs[number % 4]) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(published.count { $0.isNew } >= 4)
        let versions = try library.versions(of: self.name)
        #expect(versions == Array(1...versions.count))
        // Two builders with the same files may both start before either ends, but the slower one sees the faster one's version
        // when it finds the number taken.
        #expect(Set(published.map(\.version)) == Set(versions))
        for version in versions { _ = try library.verify(self.name, version: version) }
        #expect(try self.folder.entries("reports/demo") == versions.map { "v\($0)" }.sorted())
    }

    @Test(
        "A damaged version is found, and built anew under the next number", arguments: ["changed", "longer", "missing"])
    func damage(how: String) throws {
        _ = try self.library.publish(self.files())
        let file = "reports/demo/v1/report.md"
        let content = String(decoding: try self.folder.read(file), as: UTF8.self)
        switch how {
        case "changed": try self.folder.write(content.replacing("0.3400", with: "0.9400"), to: file)
        case "longer": try self.folder.write(content + "\n", to: file)
        default: try self.folder.remove(file)
        }
        let error = #expect(throws: ReportError.self) { try self.library.verify(self.name, version: 1) }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("report.md") == true)
        let published = try self.library.publish(self.files())
        #expect(published.version == 2)
        #expect(published.isNew)
        _ = try self.library.verify(self.name, version: 2)
    }

    @Test("A foreign file, a link and a broken manifest are damage")
    func foreign() throws {
        _ = try self.library.publish(self.files())
        try self.folder.write("x", to: "reports/demo/v1/extra.txt")
        let extra = #expect(throws: ReportError.self) { try self.library.verify(self.name, version: 1) }
        #expect(extra?.message.contains("extra.txt") == true)
        try self.folder.remove("reports/demo/v1/extra.txt")

        let original = "\(self.folder.path)/reports/demo/v1/report.md"
        let moved = "\(self.folder.path)/moved.md"
        try FileManager.default.moveItem(atPath: original, toPath: moved)
        try FileManager.default.createSymbolicLink(atPath: original, withDestinationPath: moved)
        #expect(throws: ReportError.self) { try self.library.verify(self.name, version: 1) }

        for text in [
            "", "{", "[]", "{\"format\": \"assay-report-manifest\", \"schema_version\": 99}",
            String(repeating: "[", count: 100_000),
        ] {
            try self.folder.write(text, to: "reports/demo/v1/manifest.json")
            let error = #expect(throws: ReportError.self) { try self.library.verify(self.name, version: 1) }
            #expect(error?.code == .damaged)
        }
    }

    @Test("A manifest cannot name a file outside of its folder", arguments: ["../../secret", "/etc/passwd", "..", ""])
    func escape(path: String) throws {
        _ = try self.library.publish(self.files())
        let manifest = String(decoding: try self.folder.read("reports/demo/v1/manifest.json"), as: UTF8.self)
        try self.folder.write(
            manifest.replacing("\"report.md\"", with: "\"\(path)\""), to: "reports/demo/v1/manifest.json")
        let error = #expect(throws: ReportError.self) { try self.library.verify(self.name, version: 1) }
        #expect(error?.message.contains("files.name") == true)
    }

    @Test("What dead builders left is removed after an hour, what is fresh stays")
    func leftovers() throws {
        _ = try self.library.publish(self.files())
        for (name, age) in [(".building-old", 7200.0), (".building-fresh", 0)] {
            let path = "\(self.folder.path)/reports/demo/\(name)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            try self.folder.write("half", to: "reports/demo/\(name)/report.md")
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
        }
        _ = try self.library.publish(self.files(toolVersion: "2"))
        #expect(try self.folder.entries("reports/demo") == [".building-fresh", "v1", "v2"])
        #expect(try self.library.versions(of: self.name) == [1, 2])
    }

    @Test("What is in the way of the next version is named")
    func obstacle() throws {
        try FileManager.default.createDirectory(
            atPath: "\(self.folder.path)/reports/demo", withIntermediateDirectories: true)
        try self.folder.write("x", to: "reports/demo/v1")
        let error = #expect(throws: ReportError.self) { try self.library.publish(self.files()) }
        #expect(error?.code == .fileSystem || error?.code == .damaged)
        #expect(error?.message.contains("reports/demo/v1") == true)
    }

    @Test func missing() throws {
        let name = try ReportName("nothing")
        #expect(throws: ReportError.self) { try self.library.newestVersion(of: name) }
        let error = #expect(throws: ReportError.self) { try self.library.verify(name, version: 1) }
        #expect(error?.code == .notFound)
        #expect(try self.library.names().isEmpty)
        #expect(try self.library.versions(of: name).isEmpty)
    }

    @Test("A store that is a file is one clear error")
    func unwritable() throws {
        try self.folder.write("x", to: "file")
        let library = ReportLibrary(store: "\(self.folder.path)/file")
        let error = #expect(throws: ReportError.self) { try library.publish(self.files()) }
        #expect(error?.code == .fileSystem)
    }

    /// It is more likely a file system that is not mounted.
    @Test("A store that is not there is not made")
    func absent() throws {
        let library = ReportLibrary(store: "\(self.folder.path)/absent")
        let error = #expect(throws: ReportError.self) { try library.publish(self.files()) }
        #expect(error?.code == .fileSystem)
        #expect(!FileManager.default.fileExists(atPath: "\(self.folder.path)/absent"))
    }

    @Test("What others may do in the store, they may do with reports, whatever the umask")
    func modes() async throws {
        #expect(chmod(self.folder.path, 0o2775) == 0)
        await #expect(processExitsWith: .success) { [path = self.folder.path as String] in
            umask(0o077)
            let files = try ReportFiles(Sample.run, name: try ReportName("demo"), toolVersion: "1")
            _ = try ReportLibrary(store: path).publish(files)
        }
        let all = FileManager.default.enumerator(atPath: self.folder.path)?.allObjects as? [String] ?? []
        #expect(all.count > 5)
        for entry in all {
            var status = stat()
            #expect(lstat("\(self.folder.path)/\(entry)", &status) == 0)
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            #expect(status.st_mode & 0o7777 == (isFolder ? 0o2775 : 0o444), "\(entry)")
        }
    }

    @Test("The versions that were made of a run are found")
    func naming() throws {
        _ = try self.library.publish(self.files())
        _ = try self.library.publish(self.files(toolVersion: "2"))
        let run = Sample.run.runID
        #expect(try self.library.versions(naming: run).map { $0.version } == [1, 2])
        #expect(try self.library.versions(naming: "other").isEmpty)
        try self.folder.write("{", to: "reports/demo/v1/manifest.json")
        #expect(try self.library.versions(naming: run).map { $0.version } == [2])
    }

    @Test("The scores read back are those of the report")
    func scores() throws {
        let files = try self.files()
        _ = try self.library.publish(files)
        #expect(try self.library.scores(of: self.name, version: 1) == files.report.scoreRows)
    }
}
