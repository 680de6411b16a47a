import Evaluation
import Statistics
import Testing

@testable import Reporting

@Suite("Groups and clusters in reports")
struct GroupReportTests {
    private func report(_ jobs: [JobInput]) throws -> ReportFiles {
        try ReportFiles(
            .init(runID: "k3f9", runName: "demo", project: "default", jobs: jobs), name: ReportName("demo"),
            toolVersion: Sample.toolVersion)
    }

    private func text(_ files: ReportFiles, _ name: String) throws -> String {
        String(decoding: try #require(files.contents[name]), as: UTF8.self)
    }

    /// Two tasks in one group: hellaswag and another one with the same metrics.
    private func members(weighted: Bool) -> [JobInput] {
        var (first, second) = (Sample.run.jobs[0], Sample.run.jobs[0])
        second.task.name = "other"
        second.samples = second.samples.prefix(20)
        let group = JobSpecification.Group(
            name: "both", alias: "Both of them",
            metrics: [.init(name: "acc", filters: nil, weightBySize: weighted)])
        first.groups = [group]
        second.groups = [group]
        return [first, second]
    }

    @Test func scoresOfMembersBecomeOne() throws {
        let files = try self.report(self.members(weighted: true))
        let group = try #require(files.report.groups.first)
        let parts = files.report.tasks.map { $0.jobs[0].scores[0].estimate }
        #expect(group.scores.count == 1 && group.scores[0].tasks == 2)
        #expect(group.scores[0].estimate == Estimate.pooled(parts))
        for name in ["report.html", "report.md"] { #expect(try self.text(files, name).contains("Both of them")) }
        #expect(try self.text(files, "report.json").contains(#""group": "both""#))
        let row = try #require(files.report.scoreRows.last)
        #expect(row.task == "both" && row.groupTasks == 2 && row.title == "both (2 tasks)")
        let alike = try self.report(self.members(weighted: false)).report.groups[0].scores[0].estimate
        #expect(alike == Estimate.averaged(parts))
    }

    @Test func thePublishedReportGivesTheScoresOfGroupsBack() throws {
        let folder = try Folder()
        let library = ReportLibrary(store: folder.path)
        let files = try self.report(self.members(weighted: true))
        _ = try library.publish(files)
        let rows = try library.scores(of: ReportName("demo"), version: 1)
        #expect(rows == files.report.scoreRows && rows.last?.groupTasks == 2 && rows.first?.groupTasks == nil)
    }

    @Test func aTaskThatIsThereTwiceMakesNoGroup() throws {
        var jobs = self.members(weighted: true)
        jobs[1].task.name = jobs[0].task.name
        jobs[1].task.hash = Sample.hash("9")
        let files = try self.report(jobs)
        #expect(files.report.groups.first?.scores.isEmpty == true)
        #expect(try self.text(files, "report.html").contains("The group has no score"))
    }

    @Test func clustersDecideTheError() throws {
        var job = Sample.run.jobs[0]
        job.samples.clusters = (0..<job.samples.count).map { "passage \($0 / 10)" }
        let files = try self.report([job])
        let estimate = files.report.tasks[0].jobs[0].scores[0].estimate
        #expect(estimate.method == .clusteredBounded && estimate.clusterCount == 5)
        #expect(try self.text(files, "report.html").contains("50 in 5 clusters"))
        #expect(try self.text(files, "hellaswag.csv").hasPrefix("sample_id,cluster,") == false)
        #expect(try self.text(files, "hellaswag.csv").contains("prediction,cluster,"))
    }
}
