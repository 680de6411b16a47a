internal import FoundationEssentials
internal import Glibc
internal import OrderedCollections

extension ConfigurationNode {
    /// The task with the keys of the files it includes; its own keys win, and of several files the later one's, as in lm-eval.
    func includingOthers() throws(TaskError) -> ConfigurationNode {
        var budget = 64
        return try self.includingOthers(depth: 0, budget: &budget)
    }

    private func includingOthers(depth: Int, budget: inout Int) throws(TaskError) -> ConfigurationNode {
        guard case .mapping(var members) = self.content,
            let index = members.firstIndex(where: { $0.key == "include" })
        else { return self }
        let include = members.remove(at: index).node
        guard depth < 5 else { throw include.error(.limitExceeded, "files include each other more than 5 deep") }
        var notes = self.notes
        let names = if case .list(let nodes) = include.content { nodes } else { [include] }
        for name in names.reversed() {
            budget -= 1
            guard budget > 0 else { throw name.error(.limitExceeded, "more than 64 files are included") }
            let others = try name.included(from: self.place.file).includingOthers(depth: depth + 1, budget: &budget)
            notes += others.notes.filter { !notes.contains($0) }
            guard case .mapping(let others) = others.content else {
                throw others.error(.invalidValue, "a task file must be a mapping (key: value)")
            }
            members += others.filter { other in !members.contains { $0.key == other.key } }
        }
        var node = ConfigurationNode(.mapping(members), place: self.place)
        node.notes = notes
        return node
    }

    /// The file that this node names, relative to `file`.
    private func included(from file: String) throws(TaskError) -> ConfigurationNode {
        guard case .scalar(.string(let name)) = self.content, !name.isEmpty, !name.hasPrefix("/") else {
            throw self.error(
                .invalidValue, "include is \(self.found); it must be a path relative to this file, or a list of such")
        }
        let path = sibling(name, of: file)
        do throws(TaskError) {
            return try ConfigurationNode.load(path: path)
        } catch  where error.code == .unreadableFile {
            throw self.error(.unreadableFile, "can't include \(path): \(error.message)")
        }
    }
}

extension TaskConfiguration {
    /// The data files of a split: beside the task file, else in the first of `searchFolders` that has them.
    ///
    /// A name with `*` or `?` stands for all files that match, in the order of their names.
    /// - Throws: `TaskError` that names every place that was looked at.
    public func dataFiles(split: String, searchFolders: [String] = []) throws(TaskError) -> [String] {
        if let dataSet { throw dataSet.isNotLookedFor(in: self.file) }
        guard let names = self.dataFiles[split] else {
            throw TaskError(
                .invalidValue, "the task \(self.name) names no file for the split \(split)", file: self.file)
        }
        var files: [String] = []
        for name in names {
            var candidates = [sibling(name, of: self.file)]
            if !name.hasPrefix("/") {
                candidates += searchFolders.map { $0 + ($0.hasSuffix("/") ? "" : "/") + name }
            }
            guard let found = candidates.lazy.map(Self.matching).first(where: { !$0.isEmpty }) else {
                throw TaskError(
                    .unreadableFile,
                    "the data file of the split \(split) is missing; looked for \(candidates.joined(separator: ", "))",
                    file: self.file)
            }
            files += found
        }
        return files
    }

    private static func matching(_ path: String) -> [String] {
        if FileManager.default.fileExists(atPath: path) { return [path] }
        guard path.contains(where: { "*?[".contains($0) }) else { return [] }
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(path, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { index in
            found.gl_pathv[index].flatMap { String(validatingCString: $0) }
        }
    }
}

/// `name` in the folder of `file`.
func sibling(_ name: String, of file: String) -> String {
    guard !name.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return name }
    return String(file[...slash]) + name
}
