import Foundation
import Testing

/// The rules of the house, as far as a program can check them: see .github/CONTRIBUTING.md.
@Suite struct HouseTests {
    // MARK: Rooms and arrows

    /// Every room and what it may import of ours, from the ground up.
    ///
    /// A new arrow is a decision: write it down here, and in .github/ARCHITECTURE.md.
    static let arrows: [(room: String, imports: Set<String>)] = [
        // Floor 0: leaves.
        ("UVEventLoop", []), ("Threads", []), ("Files", []), ("JSON", []), ("Evaluation", []), ("SQL", []),
        ("Statistics", []),
        // Floor 1
        ("HDF5", ["Threads"]), ("Llama", ["Files"]), ("PythonCompat", ["JSON"]), ("Calendar", ["Files"]),
        ("NaturalLanguage", ["PythonCompat"]), ("Jinja", ["PythonCompat"]), ("Sandbox", ["UVEventLoop"]),
        ("Postgres", ["Threads", "UVEventLoop"]), ("ConfigFile", ["Evaluation", "Files", "JSON", "PythonCompat"]),
        // Floor 2
        ("Datasets", ["ConfigFile", "Evaluation", "Files", "JSON", "PythonCompat"]),
        ("ScoreMetrics", ["Evaluation", "PythonCompat"]),
        (
            "LMEval",
            [
                "ConfigFile", "Datasets", "Evaluation", "Files", "JSON", "Jinja", "NaturalLanguage", "PythonCompat",
                "ScoreMetrics",
            ]
        ),
        // Floor 3
        ("JobQueue", ["Calendar", "Files"]),
        ("PostgresQueue", ["Calendar", "Files", "JobQueue", "Postgres", "SQL"]),
        ("Inference", ["Evaluation", "JSON", "Llama", "PythonCompat", "Threads"]),
        ("ResultStore", ["Datasets", "Evaluation", "Files", "HDF5"]),
        // Floor 4
        (
            "Planning",
            ["Calendar", "Datasets", "Evaluation", "Files", "JSON", "JobQueue", "LMEval", "ResultStore"]
        ),
        (
            "Execution",
            [
                "Datasets", "Evaluation", "Inference", "JobQueue", "LMEval", "Llama", "ResultStore", "Sandbox",
                "Threads",
                "UVEventLoop",
            ]
        ),
        (
            "Reporting",
            [
                "Evaluation", "Files", "JSON", "JobQueue", "ResultStore", "ScoreMetrics", "Statistics", "Threads",
            ]
        ),
        // Floor 5
        (
            "Console",
            [
                "Files", "JobQueue", "Postgres", "PostgresQueue", "Reporting", "ResultStore", "Threads", "UVEventLoop",
            ]
        ),
    ]

    /// Programs may import every room.
    static let programs = ["assay", "assay-worker", "assay-report"]

    @Test func roomsImportOnlyWhatIsBelowThem() throws {
        var found: [String: Set<String>] = [:]
        let rooms = Set(Self.arrows.map(\.room))
        for file in try Self.swiftFiles("Sources") {
            let room = file.path.split(separator: "/")[1]
            found[String(room), default: []].formUnion(Self.imports(of: file.text).intersection(rooms))
        }
        found["SQL"] = []
        for program in Self.programs { #expect(found.removeValue(forKey: program) != nil) }
        #expect(Set(found.keys) == rooms, "rooms and the table in this test must be the same")
        var below: Set<String> = []
        for (room, allowed) in Self.arrows {
            let used = (found[room] ?? []).subtracting([room])
            #expect(used == allowed, "\(room): an arrow is new, or one in the table is not used any more")
            #expect(allowed.isSubset(of: below), "\(room) imports what is not below it")
            below.insert(room)
        }
    }

    @Test func eachLibraryInCHasOneImporter() throws {
        var importers: [String: Set<String>] = [:]
        for file in try Self.swiftFiles("Sources") {
            let room = String(file.path.split(separator: "/")[1])
            for name in Self.imports(of: file.text)
            where name.hasPrefix("C") && FileManager.default.fileExists(atPath: Self.root + "Sources/" + name) {
                // Rooms such as Console and Calendar are no libraries in C.
                if Self.arrows.contains(where: { $0.room == name }) { continue }
                importers[name, default: []].insert(room)
            }
        }
        #expect(importers.count >= 9)
        for (library, rooms) in importers { #expect(rooms.count == 1, "\(library) is imported by \(rooms.sorted())") }
    }

    // MARK: Files

    /// A mechanism stands whole in one file; what is used together stands together.
    @Test func filesAreNeitherTinyNorHuge() throws {
        let huge: Set<String> = [
            // Still to be cut.
            "Sources/Jinja/Compiler.swift", "Sources/Jinja/Filters.swift", "Sources/Jinja/Methods.swift",
            "Sources/Jinja/Number.swift", "Sources/Jinja/Objects.swift", "Sources/Jinja/Parser.swift",
            "Sources/Jinja/PythonFormat.swift", "Sources/Jinja/Value.swift",
            "Sources/LMEval/TaskConfiguration+Reading.swift",
        ]
        for file in try Self.swiftFiles("Sources") {
            let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
            #expect(lines >= 15, "\(file.path) has \(lines) lines: put it where it is used")
            #expect(lines <= 600 || huge.contains(file.path), "\(file.path) has \(lines) lines")
        }
    }

    // MARK: SQL

    @Test func everyFunctionOfTheDatabaseIsCalled() throws {
        let folder = Self.root + "sql/functions"
        var definitions: Set<String> = []
        var all = ""
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasSuffix(".sql") {
            let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            all += text
            for match in text.matches(of: /CREATE (?:OR REPLACE )?FUNCTION (\w+)/) {
                definitions.insert(String(match.1))
            }
        }
        let queries = Self.root + "sql/queries"
        for name in try FileManager.default.contentsOfDirectory(atPath: queries) {
            all += try String(contentsOfFile: "\(queries)/\(name)", encoding: .utf8)
        }
        // Triggers are made with their tables.
        var triggers = ""
        for name in try FileManager.default.contentsOfDirectory(atPath: Self.root + "sql/migrations") {
            triggers += try String(contentsOfFile: Self.root + "sql/migrations/\(name)", encoding: .utf8)
        }
        #expect(definitions.count > 30)
        for name in definitions.sorted() {
            let calls = all.matches(of: try Regex("\\b\(name)\\s*\\(")).count
            let executed = all.matches(of: try Regex("EXECUTE FUNCTION \(name)\\s*\\(")).count
            let own = all.matches(of: try Regex("FUNCTION(?: IF EXISTS)? \(name)\\s*\\(")).count - executed
            let isTrigger = triggers.contains("EXECUTE FUNCTION \(name)(")
            #expect(calls > own || isTrigger, "nothing calls \(name)(): remove it")
        }
    }

    // MARK: Helpers

    static let root: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/") + "/"
    }()

    static func swiftFiles(_ folder: String) throws -> [(path: String, text: String)] {
        guard let names = FileManager.default.enumerator(atPath: root + folder) else { return [] }
        var files: [(path: String, text: String)] = []
        for case let name as String in names where name.hasSuffix(".swift") {
            files.append(("\(folder)/\(name)", try String(contentsOfFile: "\(root)\(folder)/\(name)", encoding: .utf8)))
        }
        return files
    }

    static func imports(of text: String) -> Set<String> {
        Set(
            text.matches(of: /(?m)^(?:@\w+ )?(?:(?:public|internal) )?import (?:struct |class |func )?(\w+)/)
                .map { String($0.1) })
    }
}
