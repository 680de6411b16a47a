internal import Evaluation
internal import JSON
public import Statistics

/// The reports of a store: `reports/<name>/v<N>/`.
///
/// Versions are immutable. Any number of builders on any number of machines may publish at once.
public struct ReportLibrary: Sendable {
    /// The store's root folder.
    public let store: String

    public init(store: String) { self.store = store }

    /// The names of all reports that have a version, in order.
    public func names() throws(ReportError) -> [ReportName] {
        var names: [ReportName] = []
        for entry in try Disk.entries(of: self.root) {
            // What is not named like a report is not one.
            guard let name = try? ReportName(entry) else { continue }
            if try !self.versions(of: name).isEmpty { names.append(name) }
        }
        return names
    }

    /// The published versions of a report, ascending; empty for a name that has none.
    public func versions(of name: ReportName) throws(ReportError) -> [Int] {
        try Disk.entries(of: self.folder(of: name)).compactMap(Self.version).sorted()
    }

    /// The newest version of a report; throws `notFound` if there is none.
    public func newestVersion(of name: ReportName) throws(ReportError) -> Int {
        guard let version = try self.versions(of: name).last else {
            throw ReportError(
                .notFound, "there is no report \"\(name)\" in \(self.root); build it with assay-report build RUN")
        }
        return version
    }

    /// The versions that were made from results of a run; one whose manifest can't be read is passed over.
    public func versions(naming run: String) throws(ReportError) -> [(name: ReportName, version: Int)] {
        var found: [(name: ReportName, version: Int)] = []
        for name in try self.names() {
            for version in try self.versions(of: name) {
                let path = "\(self.path(of: name, version: version))/\(ReportManifest.fileName)"
                guard let content = try? Disk.read(path, limit: 16 << 20),
                    let manifest = try? ReportManifest(parsing: content, source: path), manifest.run == run
                else { continue }
                found.append((name, version))
            }
        }
        return found
    }

    /// A version's folder.
    public func path(of name: ReportName, version: Int) -> String {
        "\(self.folder(of: name))/v\(version)"
    }

    var root: String { "\(self.store)/reports" }

    func folder(of name: ReportName) -> String { "\(self.root)/\(name.value)" }

    /// The number in a version folder's name; nil for other names.
    private static func version(_ entry: String) -> Int? {
        guard entry.hasPrefix("v"), let number = Int(entry.dropFirst()), number > 0, "v\(number)" == entry else {
            return nil
        }
        return number
    }
}

/// A version that stands on the disk.
public struct PublishedReport: Sendable, Hashable {
    public var name: ReportName
    public var version: Int
    /// The version's folder.
    public var path: String
    /// False if the version was there before, with the very same files.
    public var isNew: Bool
}

extension ReportLibrary {
    /// Publishes `files` as the next version of their report, unless an intact version with the very same files exists.
    ///
    /// The version appears at once and complete: it is written to a folder of another name, synced, and renamed.
    public func publish(_ files: ReportFiles) throws(ReportError) -> PublishedReport {
        let name = files.report.name
        let folder = self.folder(of: name)
        for version in try self.versions(of: name).reversed() {
            guard try self.isSame(files, name, version) else { continue }
            // Who published it may have died before it was on the disk.
            try self.sync(files, name, version)
            return self.published(name, version, isNew: false)
        }

        for path in [self.root, folder] { try Disk.makeFolder(path) }
        let draft = "\(folder)/\(Self.draftPrefix)\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try Disk.makeFolder(draft, isNew: true)
        // Does nothing once the draft has become a version.
        defer { Disk.remove(draft) }
        self.removeLeftovers(in: folder, beside: draft)
        for (file, content) in files.contents.sorted(by: { $0.key < $1.key }) {
            try Disk.write(content, to: "\(draft)/\(file)")
        }
        try Disk.syncFolder(draft)

        while true {
            let version = (try self.versions(of: name).last ?? 0) + 1
            let path = self.path(of: name, version: version)
            if try Disk.rename(draft, to: path) {
                do throws(ReportError) {
                    try Disk.syncFolder(folder)
                    try Disk.syncFolder(self.root)
                } catch {
                    // A name that may not be on the disk is not left: that it could not be synced is reported only once.
                    _ = try? Disk.rename(path, to: draft)
                    throw error
                }
                return self.published(name, version, isNew: true)
            }
            // Another builder was faster, perhaps with the same files.
            if try self.isSame(files, name, version) {
                try self.sync(files, name, version)
                return self.published(name, version, isNew: false)
            }
            guard try self.versions(of: name).contains(version) else {
                throw ReportError(
                    .fileSystem, "\(self.path(of: name, version: version)) is in the way and not a report; remove it")
            }
        }
    }

    private func sync(_ files: ReportFiles, _ name: ReportName, _ version: Int) throws(ReportError) {
        let path = self.path(of: name, version: version)
        for file in files.contents.keys.sorted() { try Disk.syncFile("\(path)/\(file)") }
        for folder in [path, self.folder(of: name), self.root] { try Disk.syncFolder(folder) }
    }

    static let draftPrefix = ".building-"
    /// Drafts this much older than a new one are left over from builders that died, in seconds.
    static let draftLifetime = 3600

    /// Whether a version is intact and has the very same files.
    private func isSame(_ files: ReportFiles, _ name: ReportName, _ version: Int) throws(ReportError) -> Bool {
        let path = "\(self.path(of: name, version: version))/\(ReportManifest.fileName)"
        guard let ours = files.contents[ReportManifest.fileName] else { return false }
        do {
            guard try Disk.read(path, limit: ours.count) == ours else { return false }
            _ = try self.verify(name, version: version)
            return true
        } catch  where error.code == .damaged {
            return false
        }
    }

    /// Removes what builders that died left behind; ages are told by the file system's own clock.
    private func removeLeftovers(in folder: String, beside draft: String) {
        guard let now = Disk.modificationTime(of: draft), let entries = try? Disk.entries(of: folder) else { return }
        for entry in entries where entry.hasPrefix(Self.draftPrefix) {
            let path = "\(folder)/\(entry)"
            guard let time = Disk.modificationTime(of: path), time < now - Self.draftLifetime else { continue }
            Disk.remove(path)
        }
    }

    private func published(_ name: ReportName, _ version: Int, isNew: Bool) -> PublishedReport {
        .init(name: name, version: version, path: self.path(of: name, version: version), isNew: isNew)
    }
}

extension ReportLibrary {
    /// Checks every file of a version against its manifest; throws `damaged` that names the first fault.
    public func verify(_ name: ReportName, version: Int) throws(ReportError) -> ReportManifest {
        let folder = self.path(of: name, version: version)
        let entries = try Disk.entries(of: folder)
        guard !entries.isEmpty else {
            throw ReportError(
                .notFound, "report \"\(name)\" has no version \(version) in \(self.root); assay-report list shows all")
        }
        let path = "\(folder)/\(ReportManifest.fileName)"
        guard let content = try Disk.read(path, limit: 16 << 20) else { throw Self.damage("\(path) is missing") }
        let manifest = try ReportManifest(parsing: content, source: path)
        for file in manifest.files {
            let path = "\(folder)/\(file.name)"
            guard let found = try Disk.digest(path, limit: file.bytes) else { throw Self.damage("\(path) is missing") }
            guard found.bytes == file.bytes else {
                throw Self.damage("\(path) has \(found.bytes) bytes, not the \(file.bytes) of the manifest")
            }
            guard found.sha256 == file.sha256 else {
                throw Self.damage("\(path) has sha256 \(found.sha256), not \(file.sha256) as in the manifest")
            }
        }
        let known = Set(manifest.files.map(\.name) + [ReportManifest.fileName])
        if let stranger = entries.first(where: { !known.contains($0) }) {
            throw Self.damage("\(folder)/\(Printable.text(stranger)) is not in the manifest")
        }
        return manifest
    }

    /// The scores of a version, whose files are verified first; those of groups come last.
    public func scores(of name: ReportName, version: Int) throws(ReportError) -> [ScoreRow] {
        let manifest = try self.verify(name, version: version)
        let path = "\(self.path(of: name, version: version))/report.json"
        guard let file = manifest.files.first(where: { $0.name == "report.json" }),
            let content = try Disk.read(path, limit: file.bytes)
        else { throw Self.damage("\(path) is missing") }
        let json = try JSONValue.parsed(String(decoding: content, as: UTF8.self), source: path)
        guard let scores = json["scores"]?.array else { throw Self.damage("\(path): \"scores\" is not a list") }
        // Reports of versions without groups have no such member.
        guard let groups = (json["groups"] ?? .array([])).array else {
            throw Self.damage("\(path): \"groups\" is not a list")
        }
        return scores.map(ScoreRow.init) + groups.map(ScoreRow.init)
    }

    private static func damage(_ what: String) -> ReportError {
        ReportError(.damaged, "\(what); build the report again to get an intact version")
    }
}

extension ScoreRow {
    /// A line of the table from a member of report.json's "scores" or "groups".
    fileprivate init(_ json: JSONValue) {
        var interval: ConfidenceInterval?
        if let lower = json["interval"]?["lower"]?.double, let upper = json["interval"]?["upper"]?.double {
            interval = .init(lower: lower, upper: upper)
        }
        self.init(
            task: json["task"]?.string ?? json["group"]?.string ?? "", groupTasks: json["tasks"]?.int,
            model: json["model"]?.string ?? "",
            metric: json["metric"]?.string ?? "", filter: json["filter"]?.string,
            higherIsBetter: json["higher_is_better"]?.bool ?? true, n: json["n"]?.int ?? 0,
            value: json["value"]?.double, standardError: json["standard_error"]?.double, interval: interval)
    }
}

/// A report's name, which is also its folder's: 1 to 100 letters, digits, ".", "_" or "-", a letter or digit first.
public struct ReportName: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let value: String

    public init(_ value: String) throws(ReportError) {
        guard Self.isValid(value) else {
            throw ReportError(
                .invalidName,
                "\"\(Printable.text(value, limit: 120))\" is not a report name: use 1 to 100 letters, digits, \".\", "
                    + "\"_\" or \"-\", a letter or digit first")
        }
        self.value = value
    }

    /// Whether `value` is a name: nothing that a file system, a shell or a page could take for more.
    static func isValid(_ value: String) -> Bool {
        let bytes = Array(value.utf8)
        func isPlain(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        guard (1...100).contains(bytes.count), isPlain(bytes[0]) else { return false }
        return bytes.allSatisfy { byte in
            isPlain(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
    }

    public var description: String { self.value }

    public static func < (left: ReportName, right: ReportName) -> Bool { left.value < right.value }
}

/// One score of a report, as a line of its score table says it.
public struct ScoreRow: Sendable, Hashable {
    /// The task's name, or the group's.
    public var task: String
    /// How many tasks a group's score is made of; `nil` for a task's.
    public var groupTasks: Int?
    public var model: String
    public var metric: String
    public var filter: String?
    public var higherIsBetter: Bool
    public var n: Int
    public var value: Double?
    public var standardError: Double?
    public var interval: ConfidenceInterval?

    public init(
        task: String, groupTasks: Int? = nil, model: String, metric: String, filter: String?, higherIsBetter: Bool,
        n: Int, value: Double?,
        standardError: Double?,
        interval: ConfidenceInterval?
    ) {
        self.task = task
        self.groupTasks = groupTasks
        self.model = model
        self.metric = metric
        self.filter = filter
        self.higherIsBetter = higherIsBetter
        self.n = n
        self.value = value
        self.standardError = standardError
        self.interval = interval
    }
}

extension ScoreRow {
    /// The line of one score.
    public init(_ score: Score, task: String, groupTasks: Int? = nil, model: String) {
        self.init(
            task: task, groupTasks: groupTasks, model: model, metric: score.metric.metric.name,
            filter: score.metric.filterName,
            higherIsBetter: score.metric.higherIsBetter, n: score.estimate.count, value: score.estimate.value,
            standardError: score.estimate.standardError, interval: score.estimate.interval)
    }
}

extension Report {
    /// All scores, in the report's order; those of groups come last.
    public var scoreRows: [ScoreRow] {
        self.tasks.flatMap { task in
            task.jobs.flatMap { job in
                job.scores.map { ScoreRow($0, task: task.task.name, model: job.job.model.name) }
            }
        }
            + self.groups.flatMap { group in
                group.scores.map { score in
                    ScoreRow(
                        .init(metric: score.metric, estimate: score.estimate), task: group.name,
                        groupTasks: score.tasks, model: score.model)
                }
            }
    }
}

/// What tables say of it.
extension ScoreRow {
    /// The task's or group's name, such as "mmlu (57 tasks)".
    public var title: String {
        self.groupTasks.map { "\(self.task) (\($0) \($0 == 1 ? "task" : "tasks"))" } ?? self.task
    }

    /// The metric with its filter and where better is, such as "exact_match (strict-match) ↑".
    public var metricTitle: String {
        MetricDefinition.title(self.metric, filter: self.filter) + (self.higherIsBetter ? " ↑" : " ↓")
    }

    /// Value, standard error and interval with the same number of decimals.
    public var texts: (value: String, spread: String, interval: String) {
        let texts = ScoreTexts(value: self.value, standardError: self.standardError, interval: self.interval)
        return (texts.value, texts.spread, texts.interval)
    }
}
