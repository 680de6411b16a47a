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
        ("SQLFunctions", []), ("TerminalText", []), ("Statistics", []),
        // Floor 1
        ("HDF5", ["Threads"]), ("Llama", ["Files"]), ("PythonCompat", ["JSON"]), ("Calendar", ["Files"]),
        ("NaturalLanguage", ["PythonCompat"]), ("JinjaSyntax", ["PythonCompat"]),
        ("Jinja", ["JinjaSyntax", "PythonCompat"]), ("Sandbox", ["UVEventLoop"]),
        ("Postgres", ["Threads", "UVEventLoop"]), ("ConfigFile", ["Evaluation", "Files", "JSON", "PythonCompat"]),
        // Floor 2
        ("Datasets", ["ConfigFile", "Evaluation", "Files", "JSON", "PythonCompat"]),
        ("ScoreMetrics", ["Evaluation", "PythonCompat"]),
        ("IFEval", ["Datasets", "Evaluation", "JSON", "NaturalLanguage", "PythonCompat"]),
        (
            "LMEval",
            [
                "ConfigFile", "Datasets", "Evaluation", "Files", "IFEval", "JSON", "Jinja", "NaturalLanguage",
                "PythonCompat", "ScoreMetrics",
            ]
        ),
        // Floor 3
        ("JobQueue", ["Calendar", "Files"]), ("WorkerLogic", ["JobQueue"]),
        ("PostgresQueue", ["Calendar", "Files", "JobQueue", "Postgres", "SQL", "SQLFunctions"]),
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
                "Datasets", "Evaluation", "Inference", "JobQueue", "LMEval", "ResultStore", "Sandbox", "Threads",
                "UVEventLoop", "WorkerLogic",
            ]
        ),
        (
            "Reporting",
            [
                "Evaluation", "Files", "JSON", "JobQueue", "ResultStore", "ScoreMetrics", "Statistics", "Threads",
            ]
        ),
        (
            "Rescoring",
            [
                "Datasets", "Evaluation", "Execution", "Inference", "JobQueue", "LMEval", "Planning", "Reporting",
                "ResultStore", "UVEventLoop", "WorkerLogic",
            ]
        ),
        (
            "AssayRuntime",
            [
                "Files", "JobQueue", "Postgres", "PostgresQueue", "ResultStore", "TerminalText", "UVEventLoop",
            ]
        ),
        ("Benchmarks", ["AssayRuntime", "JobQueue", "PostgresQueue"]),
        (
            "Maintenance",
            ["Evaluation", "JobQueue", "Planning", "PostgresQueue", "Reporting", "ResultStore", "UVEventLoop"]
        ),
        (
            "Doctor",
            [
                "AssayRuntime", "Calendar", "Evaluation", "Inference", "JobQueue", "Llama", "PostgresQueue",
                "ResultStore", "TerminalText",
            ]
        ),
        // Floor 5
        (
            "Console",
            ["AssayRuntime", "Postgres", "Reporting", "ResultStore", "TerminalText", "Threads"]
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
        for room in ["SQL", "SQLFunctions"] { found[room] = [] }
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

    /// Who only reads results needs no llama.cpp: neither its library nor its headers.
    @Test func reportsAreBuiltWithoutLlama() throws {
        var imports: [String: Set<String>] = [:]
        for file in try Self.swiftFiles("Sources") {
            imports[String(file.path.split(separator: "/")[1]), default: []].formUnion(Self.imports(of: file.text))
        }
        var reached: Set<String> = []
        var open: Set<String> = ["assay-report"]
        while let room = open.popFirst() {
            reached.insert(room)
            open.formUnion((imports[room] ?? []).subtracting(reached))
        }
        #expect(reached.contains("ResultStore") && reached.contains("PostgresQueue"))
        let models: Set<String> = [
            "Llama", "Inference", "CLlama", "CLlamaCommon", "CLlamaCalls", "CGrammar", "CLogits",
        ]
        #expect(reached.isDisjoint(with: models))
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
        for file in try Self.swiftFiles("Sources") {
            let lines = Self.lineCount(of: file.text)
            #expect(lines >= 15, "\(file.path) has \(lines) lines: put it where it is used")
            #expect(lines <= 600, "\(file.path) has \(lines) lines")
        }
    }

    /// A room that a reader can get to know; what is beyond that belongs into another room.
    @Test func roomsAreNotTooLarge() throws {
        var sizes: [Substring: Int] = [:]
        for file in try Self.swiftFiles("Sources") {
            sizes[file.path.split(separator: "/")[1], default: 0] += Self.lineCount(of: file.text)
        }
        #expect(sizes.count > Self.arrows.count)
        for (room, lines) in sizes { #expect(lines <= 7_000, "\(room) has \(lines) lines of Swift") }
    }

    // MARK: Words

    /// Phrases that read as translated; see .github/CONTRIBUTING.md.
    @Test func textsAreInPlainEnglish() throws {
        let phrases = [
            " anew", "is none of", "should stand", "stands here", "stands behind", "stands with", "what becomes of",
            "whoever ",
        ]
        // The texts of reports change with the version alone.
        for file in try Self.swiftFiles("Sources") where !file.path.hasSuffix("/ScoreTexts.swift") {
            for line in file.text.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                // What is in quotes, as far as a line tells.
                let literals = line.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
                    .filter { !$0.offset.isMultiple(of: 2) }.map(\.element)
                for literal in literals where phrases.contains(where: { literal.contains($0) }) {
                    Issue.record("\(file.path): \(literal)")
                }
            }
        }
        for folder in [".docs", ".github"] {
            for name in try FileManager.default.contentsOfDirectory(atPath: Self.root + folder)
            where name.hasSuffix(".md") {
                let text = try String(contentsOfFile: "\(Self.root)\(folder)/\(name)", encoding: .utf8)
                for phrase in phrases where text.contains(phrase) { Issue.record("\(folder)/\(name): \(phrase)") }
            }
        }
    }

    // MARK: SQL

    @Test func everyFunctionOfTheDatabaseIsCalled() throws {
        /// What workers of the release before still call.
        let compatible: Set<String> = ["open_gates", "reap"]
        func words(in folder: String) throws -> [Substring] {
            var words: [Substring] = []
            for name in try FileManager.default.contentsOfDirectory(atPath: Self.root + folder).sorted() {
                let text = try String(contentsOfFile: "\(Self.root)\(folder)/\(name)", encoding: .utf8)
                let code = text.split(separator: "\n").map {
                    $0.prefix(upTo: $0.firstRange(of: "--")?.lowerBound ?? $0.endIndex)
                }
                for line in code {
                    // A call's bracket comes at once, here as in all of sql.
                    words += line.replacing("(", with: " ( ").split {
                        !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "(")
                    }
                }
            }
            return words
        }
        var (definitions, calls): (Set<String>, Set<String>) = ([], [])
        for (folder, isOld) in [
            ("sql/functions", false), ("sql/queries", false), ("sql/tables", false), ("sql/upgrades", true),
        ] {
            let words = try words(in: folder)
            for index in words.indices where words[index] == "(" && index > 1 {
                let (name, before) = (String(words[index - 1]), words[index - 2])
                let isTrigger = before == "FUNCTION" && index > 2 && words[index - 3] == "EXECUTE"
                if isTrigger {
                    calls.insert(name)
                } else if isOld {
                    // Old definitions, which call others that are gone.
                    continue
                } else if before == "FUNCTION" {
                    if folder == "sql/functions" { definitions.insert(name) }
                } else if before != "EXISTS" {
                    calls.insert(name)
                }
            }
        }
        #expect(definitions.count > 60)
        let dead = definitions.subtracting(calls)
        #expect(dead == compatible, "nothing calls \(dead.subtracting(compatible).sorted()): remove them")
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

    static func lineCount(of text: String) -> Int { text.utf8.count { $0 == UInt8(ascii: "\n") } }

    static func imports(of text: String) -> Set<String> {
        Set(
            text.matches(of: /(?m)^(?:@\w+ )?(?:(?:public|internal) )?import (?:struct |class |func )?(\w+)/)
                .map { String($0.1) })
    }
}
