import FoundationEssentials
import Glibc

extension ZoneRules {
    /// Where systems keep the tz database.
    ///
    /// TZDIR has no say: all machines are to read a schedule's zone in the same way.
    static let folders = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"]

    /// Reads a zone of the system's tz database; "UTC" needs none.
    ///
    /// - Throws: `invalid` when there is no such zone, or no tz database.
    public init(named name: String) throws(QueueError) {
        try self.init(named: name, folders: Self.folders)
    }

    init(named name: String, folders: [String]) throws(QueueError) {
        if name == "UTC" {
            self = .utc
            return
        }
        guard Self.isName(name) else {
            throw QueueError(
                .invalid, "time zone '\(name.prefix(64))' does not exist: give a name such as Europe/Berlin")
        }
        guard let path = folders.map({ "\($0)/\(name)" }).first(where: Self.isFile) else {
            // Containers have the folder, but nothing in it.
            guard folders.contains(where: Self.isDatabase) else {
                throw QueueError(
                    .invalid,
                    "time zone '\(name)' can't be read: this machine has no time zone database in "
                        + "\(folders.first ?? ""): install tzdata, or use UTC")
            }
            throw QueueError(
                .invalid, "time zone '\(name)' does not exist: give a name such as Europe/Berlin, or UTC")
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw QueueError(.invalid, "time zone '\(name)' can't be read: \(path): \(error)")
        }
        do {
            self = try ZoneFile.parse(Array(data), name: name)
        } catch {
            throw QueueError(.invalid, "time zone '\(name)' can't be read: \(path): \(error)")
        }
    }

    /// True for relative names without dots, which can't leave the database's folder.
    private static func isName(_ name: String) -> Bool {
        let isKnown = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "/"):
                true
            default: false
            }
        }
        return (1...64).contains(name.utf8.count) && name.utf8.allSatisfy(isKnown) && !name.hasPrefix("/")
            && !name.hasSuffix("/")
    }

    /// True for a folder with the zone that every database has, under either of its names.
    private static func isDatabase(_ folder: String) -> Bool {
        Self.isFile("\(folder)/UTC") || Self.isFile("\(folder)/Etc/UTC")
    }

    /// True for a regular file, or a link to one, of a size that a zone may have.
    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return status.st_size <= ZoneFile.maximumBytes
    }
}
