internal import ArgumentParser
internal import Console
internal import JobQueue
internal import Reporting
internal import ResultStore

struct ResultsVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every result file again and compare it with what was published.",
        discussion: "Example:  assay results verify k3f9")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        struct Issue: Encodable {
            var path: String
            var message: String
        }
        var files: Int
        var issues: [Issue]
    }

    func run() async throws {
        let answer = try await Session.with(self.options) { session in
            let store = try await session.store(.read)
            var answer = Answer(files: 0, issues: [])
            for job in try await RunSelection(self.id, in: session.queue).jobs {
                let files = try await JobFiles(of: job, in: session.queue)
                var issues = try await files.verify(in: store).map { Answer.Issue(path: $0.path, message: $0.message) }
                answer.files += files.shards.count
                if files.isComplete, issues.isEmpty {
                    if let found = try await self.issues(ofJobFile: files, in: store) {
                        issues = found
                        answer.files += 1
                    }
                }
                answer.issues += issues
            }
            return answer
        }
        if self.options.json { try Output.json(answer) }
        guard answer.issues.isEmpty else {
            for issue in answer.issues where !self.options.json { Output.line("\(issue.path): \(issue.message)") }
            throw CommandFailure(
                "\(answer.issues.count) of \(answer.files) files are not as published",
                hint: "restore them from a backup, or have them computed again with `assay results repair \(self.id)`")
        }
        if !self.options.json { Output.line("\(answer.files) files are as published") }
    }

    /// What is wrong with the file over all shards of a job, which is made if it is not there; nil if it is not, and may
    /// not be made by this user: it is no result that could be lost.
    private func issues(ofJobFile files: JobFiles, in store: Store) async throws(StoreError) -> [Answer.Issue]? {
        do {
            let file = try await files.build(in: store)
            return try await store.verifyJobFile(file, shards: files.shards).map {
                Answer.Issue(path: $0.path, message: $0.message)
            }
        } catch  where [.missing, .corrupt, .malformed, .invalidInput].contains(error.code) {
            // Something went away or was changed a moment ago; the other jobs are looked at all the same.
            return [Answer.Issue(path: error.path, message: error.message)]
        } catch  where error.code == .unusableStore {
            guard try await !files.isBuilt(in: store) else { throw error }
            return nil
        }
    }
}
