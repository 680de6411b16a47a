#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The task and group files below a folder, by what groups call them.
struct TaskIndex {
    let folder: String
    /// Files by the task or group in them.
    private var files: [String: [String]] = [:]
    /// Task files by their tags, in the order of paths.
    private var tags: [String: [String]] = [:]

    private static let limit = 20_000

    /// Files that are no YAML are left out: they are in nobody's way until they are named.
    init(folder: String) throws(TaskError) {
        self.folder = folder
        let names: [String]
        do {
            names = try FileManager.default.subpathsOfDirectory(atPath: folder)
        } catch {
            throw TaskError(.unreadableFile, "can't look for the group's tasks in \(folder): \(error)", file: folder)
        }
        let paths = names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.map { "\(folder)/\($0)" }
        guard paths.count <= Self.limit else {
            throw TaskError(
                .limitExceeded, "there are more than \(Self.limit) task files below \(folder); group fewer",
                file: folder)
        }
        for path in paths.sorted() { self.read(path) }
    }

    private mutating func read(_ path: String) {
        guard let node = try? ConfigurationNode.load(path: path).includingOthers(),
            case .mapping(let members) = node.content
        else { return }
        func value(_ key: String) -> JSONValue? { members.first { $0.key == key }?.node.value }
        guard let name = node.groupName ?? value("task")?.string else { return }
        self.files[name, default: []].append(path)
        // As in lm-eval, groups have no tags.
        guard node.groupName == nil else { return }
        var tags: [String] = []
        switch value("tag") {
        case .string(let tag)?: tags = [tag]
        case .array(let items)?: tags = items.compactMap(\.string)
        default: break
        }
        for tag in tags { self.tags[tag, default: []].append(path) }
    }

    /// The files that a member of a group stands for: one task or group, or all tasks with the tag.
    func paths(named name: String, by group: String, in file: String) throws(TaskError) -> [String] {
        if let paths = self.files[name] {
            guard paths.count == 1 else {
                throw TaskError(
                    .invalidValue, "the group \(group) names \(name), which is in \(paths.joined(separator: " and "))",
                    file: file)
            }
            return paths
        }
        guard let paths = self.tags[name] else {
            throw TaskError(
                .invalidValue,
                "the group \(group) names \(name), but no task file below \(self.folder) has such a task, group or tag",
                file: file)
        }
        return paths
    }
}

extension ConfigurationNode {
    /// The group that the file defines; `nil` for a task.
    var groupName: String? {
        guard case .mapping(let members) = self.content,
            case .list? = members.first(where: { $0.key == "task" })?.node.content
        else { return nil }
        return members.first { $0.key == "group" }?.node.value.string
    }
}
