internal import Console
internal import JobQueue

/// A run or one of its jobs, as a user names it: "k3f9", or "k3f9.2".
struct RunSelection {
    let run: RunRecord
    let jobs: [JobRecord]

    init(_ id: String, in queue: any RunRegistry) async throws {
        if id.contains(".") {
            let job = try await queue.job(matching: id)
            self.jobs = [job]
            self.run = try await queue.run(matching: job.id.run.description)
        } else {
            self.run = try await queue.run(matching: id)
            self.jobs = try await queue.jobs(of: self.run.id)
        }
    }
}
