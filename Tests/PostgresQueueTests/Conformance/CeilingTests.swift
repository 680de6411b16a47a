import JobQueue
import Testing

/// How high a project's priorities may go.
@Suite struct CeilingTests {
    @Test(arguments: Implementation.allCases)
    func nothingIsSubmittedAboveTheCeiling(implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            let project = try await queue.changeProject("evals", ProjectChange(ceiling: .set(.normal)))
            #expect(project.ceiling == .normal)
            let error = await #expect(throws: QueueError.self) {
                try await queue.submit(submission("aaaaaaaa", project: "evals", priority: .high))
            }
            #expect(error?.code == .forbidden)
            #expect(error?.message.contains("project 'evals' allows no priority above normal") == true)
            #expect(try await queue.runs(limit: 10, project: nil).isEmpty)
            try await queue.submit(submission("aaaaaaaa", project: "evals", priority: .normal))
            // Other projects are as they were.
            try await queue.submit(submission("bbbbbbbb", project: "other", priority: .urgent))
        }
    }

    @Test(arguments: Implementation.allCases)
    func nothingIsRaisedAboveTheCeiling(implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission(priority: .low))
            try await queue.changeProject("default", ProjectChange(ceiling: .set(.normal)))
            let job = try await queue.onlyJob()
            for work in [WorkTarget.run(job.id.run), .job(job.id)] {
                let error = await #expect(throws: QueueError.self) { try await queue.setPriority(.urgent, of: work) }
                #expect(error?.code == .forbidden)
            }
            #expect(try await queue.onlyJob().priority == .low)
            #expect(try await queue.setPriority(.normal, of: .run(job.id.run)) == 1)
            let project = try await queue.changeProject("default", ProjectChange(ceiling: .remove))
            #expect(project.ceiling == nil)
            #expect(try await queue.setPriority(.urgent, of: .run(job.id.run)) == 1)
        }
    }
}
