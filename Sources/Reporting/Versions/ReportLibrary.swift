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
