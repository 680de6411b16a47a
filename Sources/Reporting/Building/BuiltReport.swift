/// A report as it was built: what it says and where it stands.
public struct BuiltReport: Sendable {
    public let report: Report
    public let published: PublishedReport
    /// The version's folder.
    public let absoluteFolder: String
    /// The HDF5 file of every job, in the run's order.
    public let resultFiles: [String]
}
