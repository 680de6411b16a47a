internal import Statistics

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
        let json = try JSONValue(parsing: String(decoding: content, as: UTF8.self), source: path)
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
