import JobQueue
import Testing

@Suite struct DataSetTests {
    private static func split(
        _ name: String = "test", _ sha256: String = hexadecimalA, rows: Int = 3,
        columns: [String] = ["id", "a,\"b", "é\n", ""], source: String = "data/test.jsonl"
    ) -> DataSetRecord.Split {
        DataSetRecord.Split(name: name, sha256: sha256, rows: rows, columns: columns, source: source, user: "ada")
    }

    private static func dataSet(
        _ splits: [DataSetRecord.Split], config: String? = "ARC-Easy"
    ) throws -> DataSetRecord {
        DataSetRecord(try DataSetName("allenai/ai2_arc", config: config), splits: splits)
    }

    @Test(arguments: Implementation.allCases)
    func theSameAgainChangesNothing(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let dataSet = try Self.dataSet([Self.split("test"), Self.split("dev", hexadecimalB)])
            let added = try await test.queue.addDataSet(dataSet)
            #expect(added.changed == ["dev", "test"])
            #expect(added.record.splits.map(\.name) == ["dev", "test"])
            let split = try #require(added.record["test"])
            #expect(split.addedAt > Self.split().addedAt)
            #expect((split.columns, split.rows, split.user) == (Self.split().columns, 3, "ada"))
            for replacing in [false, true] {
                let again = try await test.queue.addDataSet(dataSet, replacing: replacing)
                #expect(again == DataSetAddition(record: added.record, changed: []))
            }
            #expect(try await test.queue.dataSet(dataSet.name, with: ["test"]) == added.record)
        }
    }

    @Test(arguments: Implementation.allCases)
    func otherRowsReplaceOnlyWhenAskedTo(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let first = try await test.queue.addDataSet(Self.dataSet([Self.split()])).record
            // A new split beside the one that conflicts is not added either.
            let other = try Self.dataSet([
                Self.split("a"), Self.split("test", hexadecimalB, rows: 4, source: "other.csv"),
            ])
            let conflict = await #expect(throws: QueueError.self) { try await test.queue.addDataSet(other) }
            #expect(conflict?.code == .conflict)
            for part in ["data/test.jsonl (rows: 3", "other.csv (rows: 4", "--replace", "allenai/ai2_arc (ARC-Easy)"] {
                #expect(conflict?.message.contains(part) == true, "\(conflict?.message ?? "")")
            }
            #expect(try await test.queue.dataSets() == [first])
            let replaced = try await test.queue.addDataSet(other, replacing: true)
            #expect(replaced.changed == ["a", "test"])
            #expect(replaced.record["test"]?.sha256 == hexadecimalB)
            #expect(replaced.record["test"]?.source == "other.csv")
        }
    }

    @Test(arguments: Implementation.allCases)
    func splitsCanBeAddedLater(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let first = try await test.queue.addDataSet(Self.dataSet([Self.split()])).record
            let second = try await test.queue.addDataSet(Self.dataSet([Self.split("train")]))
            #expect(second.changed == ["train"])
            #expect(second.record.splits.map(\.name) == ["test", "train"])
            #expect(second.record["test"] == first["test"])
        }
    }

    @Test(arguments: Implementation.allCases)
    func configurationsAreDataSetsOfTheirOwn(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            for config in ["ARC-Easy", nil, "Arabic Language (General)"] {
                try await test.queue.addDataSet(Self.dataSet([Self.split()], config: config))
            }
            let names = try await test.queue.dataSets().map(\.name)
            #expect(names.map(\.config) == [nil, "ARC-Easy", "Arabic Language (General)"])
            try await test.queue.removeDataSet(names[1])
            #expect(try await test.queue.dataSets().map(\.name) == [names[0], names[2]])
            let gone = await #expect(throws: QueueError.self) { try await test.queue.removeDataSet(names[1]) }
            #expect(gone?.code == .notFound)
            // What was removed can be added again with other rows.
            try await test.queue.addDataSet(Self.dataSet([Self.split("test", hexadecimalB)]))
        }
    }

    @Test(arguments: Implementation.allCases)
    func whatIsMissingIsSaidWithItsCommand(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let arc = try DataSetName("allenai/ai2_arc", config: "ARC-Easy")
            let none = await #expect(throws: QueueError.self) { try await test.queue.dataSet(arc) }
            #expect(none?.message.contains("none was added yet") == true)
            try await test.queue.addDataSet(Self.dataSet([Self.split()]))
            for (name, config, message) in [
                (
                    "allenai/ai2_arc", "it's new",
                    "(there are allenai/ai2_arc (ARC-Easy)): add it with "
                        + #"`assay dataset add allenai/ai2_arc --config 'it'\''s new' --split dev=FILE --split test=FILE`"#
                ),
                (
                    "allenai/ai2_arc", "ARC-Easy",
                    "has no split dev (there are test): add it with "
                        + "`assay dataset add allenai/ai2_arc --config ARC-Easy --split dev=FILE`"
                ),
            ] {
                let name = try DataSetName(name, config: config)
                let error = await #expect(throws: QueueError.self) {
                    try await test.queue.dataSet(name, with: ["dev", "test"])
                }
                #expect(error?.code == .notFound)
                #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
            }
        }
    }

    @Test(arguments: Implementation.allCases)
    func whatCanNotBeStoredIsRefused(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let long = String(repeating: "x", count: 1001)
            let cases: [([DataSetRecord.Split], String)] = [
                ([], "has no splits"), ([Self.split(), Self.split()], "is there twice"),
                ([Self.split("")], "0 characters"), ([Self.split("../x")], "no name of a split"),
                ([Self.split("te\u{1B}st")], "'te?st' is no name"), ([Self.split("test", "ab")], "64 lower-case"),
                ([Self.split(rows: 0)], "has 0 rows"), ([Self.split(columns: [long])], "1001 characters"),
                ([Self.split(columns: ["a\0"])], "a NUL character"), ([Self.split(source: "")], "0 characters"),
                ([Self.split(columns: Array(repeating: "x", count: 10_001))], "at most 10000"),
            ]
            for (splits, message) in cases {
                let error = await #expect(throws: QueueError.self) {
                    try await test.queue.addDataSet(Self.dataSet(splits))
                }
                #expect(error?.code == .invalid)
                #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
            }
            let stored = try await test.queue.dataSets()
            #expect(stored.isEmpty)
        }
    }

    @Test(arguments: Implementation.allCases)
    func ofManyAtOnceOneContentStays(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            let splits = ["a", "b", "c"]
            let added = await withTaskGroup(of: Bool.self) { group in
                for sha256 in [hexadecimalA, hexadecimalB, hexadecimalA, hexadecimalB] {
                    group.addTask {
                        let dataSet = try? Self.dataSet(splits.shuffled().map { Self.split($0, sha256) })
                        guard let dataSet else { return false }
                        return (try? await queue.addDataSet(dataSet)) != nil
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(added == 2)
            let stored = try #require(try await queue.dataSets().first)
            #expect(Set(stored.splits.map(\.sha256)).count == 1)
        }
    }
}
