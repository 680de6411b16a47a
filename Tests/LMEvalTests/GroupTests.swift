import Testing

@testable import Evaluation
@testable import LMEval

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Groups of task files.
@Suite struct GroupTests {
    private static func members(
        _ files: [String: String], of name: String = "g.yaml"
    ) throws -> [(path: String, groups: [String])] {
        let folder = FileManager.default.temporaryDirectory.path() + "/group-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder + "/sub", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, content) in files { try Data(content.utf8).write(to: URL(filePath: folder + "/" + name)) }
        return try GroupMember.all(of: folder + "/" + name).map {
            (String($0.path.dropFirst(folder.utf8.count + 1)), $0.groups.map(\.name))
        }
    }

    @Test func membersAreFoundByNameGroupAndTag() throws {
        let members = try Self.members([
            "g.yaml": "group: g\ntask: [inner, tagged, {task: c}, a]\naggregate_metric_list: [{metric: acc}]\n",
            "sub/inner.yaml": "group: inner\ngroup_alias: I\ntask: [a, b]\n", "a.yaml": "task: a\n",
            "sub/b.yml": "task: b\n", "c.yaml": "task: c\ntag: other\n", "sub/d.yaml": "task: d\ntag: [x, tagged]\n",
            "e.yaml": "include: e_base\ntask: e\n", "e_base": "tag: tagged\n", "no_task.yaml": "tag: tagged\n",
            "broken.yaml": ": [", "noise.txt": "task: a\n",
        ])
        #expect(members.map(\.path) == ["a.yaml", "sub/b.yml", "e.yaml", "sub/d.yaml", "c.yaml"])
        #expect(members.map(\.groups) == [["g", "inner"], ["g", "inner"], ["g"], ["g"], ["g"]])
    }

    /// lm-eval counts such a task several times.
    @Test func aTaskThatAGroupHasInSeveralWaysIsNoted() throws {
        let folder = [
            "inner.yaml": "group: inner\ntask: [a, b]\n", "other.yaml": "group: other\ntask: [b]\n",
            "a.yaml": "task: a\n",
            "b.yaml": "task: b\n",
        ]
        func noted(_ tasks: String) throws -> [String] {
            let files = folder.merging(["g.yaml": "group: g\ntask: [\(tasks)]\n"]) { $1 }
            return try withFiles(files.mapValues { Array($0.utf8) }) { folder in
                try GroupMember.all(of: folder + "g.yaml").filter { !$0.notes.isEmpty }
                    .map { String($0.path.suffix(6)) + ": " + $0.notes.joined().prefix(11) }
            }
        }
        #expect(try noted("inner, a") == ["a.yaml: the group g"])
        #expect(try noted("inner, other") == ["b.yaml: the group g"])
        #expect(try noted("a, b, a") == [])
    }

    @Test func aTaskStandsForItself() throws {
        let members = try Self.members(["g.yaml": "task: a\n"])
        #expect(members.map(\.path) == ["g.yaml"] && members[0].groups.isEmpty)
    }

    @Test(arguments: [
        (["g.yaml": "group: g\ntask: [x]\n"], "no task file below"),
        (["g.yaml": "group: g\ntask: [g]\n"], "within itself"),
        (["g.yaml": "group: g\ntask: [a]\n", "a.yaml": "task: a\n", "b.yaml": "task: a\n"], "a.yaml and"),
        (["g.yaml": "group: g\ntask: [{task: a, num_fewshot: 5}]\n", "a.yaml": "task: a\n"], "keys of its own"),
    ])
    func whatCanNotBeFoundIsRefused(files: [String: String], hint: String) {
        let error = #expect(throws: TaskError.self) { try Self.members(files) }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }
}
