extension ClusterLocation {
    /// Inode numbers of what stays in place as long as the cluster does: a copy has others, a moved home the same ones.
    static func marks(of dataFolder: String) -> [UInt64] {
        ["", "/PG_VERSION", "/base", "/global"].compactMap { Files.inode(dataFolder + $0) }
    }

    /// The refusal of a cluster that is not the one which was made here; nil for an original.
    ///
    /// A copy of a home would be a second database that takes itself, and is taken by stores and workers, for the first.
    ///
    /// - Throws: For a copy that can't become a database of its own.
    func refusalAsCopy() throws(PostgresError) -> PostgresError? {
        let marks = Self.marks(of: self.dataFolder)
        let other = self.recordedHome.flatMap { Self.cluster(in: $0) }
        if let other, self.folder == other.folder {
            throw PostgresError(
                .embeddedServer, "\(self.home) is a copy of \(other.home), whose database lies in \(other.folder)",
                hint: "use that one (ASSAY_HOME=\(other.home)), "
                    + "or remove \(self.home)/postgres.json for a new, empty one")
        }
        // The original is still there: a snapshot of the file system has its inodes too, an old record has none.
        let isTwin =
            other.map { other in
                !Files.isSame(other.dataFolder, self.dataFolder) && (self.marks ?? other.found) == other.found
            } ?? false
        guard !marks.isEmpty, isTwin || (self.marks ?? marks) != marks else { return nil }
        let origin = self.recordedHome.map { " (\($0))" } ?? ""
        let wasRunning = Files.exists(self.dataFolder + "/postmaster.pid")
        return PostgresError(
            .embeddedServer,
            "the database in \(self.home) is a copy\(origin) or a restored backup: two would pass for the same one"
                + (wasRunning ? ". It was copied while its server ran, so it may be damaged" : ""),
            hint: (wasRunning ? "stop the server there (assay down) and copy again, or " : "")
                + "make it a database of its own: assay up --adopt")
    }

    /// What is known of the cluster of another home.
    private static func cluster(
        in home: String
    ) -> (home: String, folder: String, dataFolder: String, found: [UInt64])? {
        guard let location = try? Self.recorded(in: home), location.recordedHome == nil,
            Files.exists(location.dataFolder)
        else { return nil }
        return (home, location.folder, location.dataFolder, Self.marks(of: location.dataFolder))
    }
}
