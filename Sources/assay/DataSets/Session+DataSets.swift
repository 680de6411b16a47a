internal import Console
internal import Planning
internal import ResultStore

extension Session {
    /// The data sets that task files can name.
    var dataSets: RegisteredDataSets {
        RegisteredDataSets(self.queue) { () async throws(StoreError) in try await self.store(.read) }
    }
}
