import Foundation
import JobQueue
import Testing

@testable import Doctor
@testable import Inference

/// What the doctor makes of models, chores, rights and engines.
@Suite struct VerdictTests {
    // MARK: Models

    private static func model(_ path: String, bytes: Int64) -> ModelRecord {
        ModelRecord(
            name: "m", path: path, sha256: String(repeating: "a", count: 64), bytes: bytes, architecture: "llama",
            parameters: 1, contextLength: 10, vocabularySize: 10, tokenizerSHA256: String(repeating: "b", count: 64),
            quantization: "F32")
    }

    @Test func aModelsFileMustBeThereInItsSize() throws {
        let path = NSTemporaryDirectory() + "assay-doctor-\(UUID().uuidString).gguf"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let missing = Check.model(Self.model(path, bytes: 5))
        #expect(!missing.isGood && missing.finding == "\(path) is not there")
        #expect(missing.remedy?.contains("assay model add m FILE --replace") == true)
        try "bytes".write(toFile: path, atomically: true, encoding: .utf8)
        let good = Check.model(Self.model(path, bytes: 5))
        #expect(good.isGood && good.remedy == nil && good.finding == "\(path), 5 bytes")
        let other = Check.model(Self.model(path, bytes: 6))
        #expect(!other.isGood && other.finding == "\(path) has 5 bytes, not 6" && other.remedy != nil)
    }

    // MARK: Chores

    private static let now = Date(timeIntervalSince1970: 1_000_000)

    private static func chore(_ chore: Chore, secondsAgo: Double?, interval: Duration = .seconds(5)) -> ChoreRecord {
        ChoreRecord(
            chore: chore, interval: interval, succeededAt: secondsAgo.map { Self.now.addingTimeInterval(-$0) })
    }

    @Test(arguments: [
        // A chore that is due every few seconds may be two minutes late, others ten times their interval.
        (5, 119.0, true), (5, 121, false), (60, 599, true), (60, 601, false), (5, nil, false),
    ])
    func aChoreThatNobodyDoesIsFound(_ interval: Int, _ secondsAgo: Double?, _ isGood: Bool) {
        let chores = [
            Self.chore(.workers, secondsAgo: 1),
            Self.chore(.gates, secondsAgo: secondsAgo, interval: .seconds(interval)),
        ]
        let check = Check.chores(chores, hasWorkers: true, now: Self.now)
        #expect(check.isGood == isGood && (check.remedy == nil) == isGood)
        #expect(
            check.finding == (isGood ? "all done lately" : "'gates' was not done lately, although workers are alive"))
        // Without a worker there is nobody who could have done it.
        let without = Check.chores(chores, hasWorkers: false, now: Self.now)
        #expect(without.isGood && without.finding == "done once a worker is there")
    }

    @Test(arguments: [true, false]) func aChoreThatFailsIsFound(_ hasWorkers: Bool) {
        var failed = Self.chore(.charges, secondsAgo: 1)
        failed.failedAt = Self.now
        failed.error = "division by zero"
        let check = Check.chores(
            [Self.chore(.workers, secondsAgo: nil), failed], hasWorkers: hasWorkers, now: Self.now)
        #expect(!check.isGood && check.finding == "'charges' fails: division by zero")
    }

    // MARK: Rights

    @Test func aRoleIsToldWhatItMayDoAndHowItGetsTheRest() {
        var rights = RoleRights(role: "ann")
        rights.abilities = [.reader, .worker]
        let checks = Check.role(rights)
        #expect(checks.count == 5 && checks.allSatisfy { $0.isGood && $0.name == "role ann" })
        #expect(checks.map { $0.finding.hasPrefix("not ") } == [false, true, false, true, true])
        #expect(checks[0].finding == "reader: may see runs, results and workers")
        #expect(checks[1].finding.hasSuffix("granted with `assay migrate --grant ann=submitter`"))
        rights.isOwner = true
        #expect(Check.role(rights)[4].finding == "owner: may migrate the schema and grant abilities")
    }

    // MARK: Engines

    @Test func bitsAreEqualOnlyIfAllAreAndNothingDiffers() {
        func way(_ equal: Int, _ difference: Float) -> EngineCheck.Way {
            EngineCheck.Way(
                InvarianceCheck.Finding(way: "alone", compared: 3, equal: equal, largestDifference: difference))
        }
        #expect(way(3, 0).isEqual && !way(2, 0).isEqual && !way(3, 0.001).isEqual)
        // Texts that differ are so far apart that no number tells it.
        #expect(way(2, .infinity).largestDifference == nil && !way(3, .infinity).isEqual)
        #expect(EngineCheck.Level(invariance: "strict", ways: [way(3, 0), way(3, 0)]).isEqual)
        #expect(!EngineCheck.Level(invariance: "strict", ways: [way(3, 0), way(2, 0.5)]).isEqual)
    }
}
