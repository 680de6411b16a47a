/// The one thread on which every call to libhdf5 is made.
///
/// The library holds a global lock and blocks on files, so its work never runs on the cooperative pool.
@globalActor
public actor HDF5Actor {
    public static let shared = HDF5Actor()

    private let executor: ThreadExecutor

    private init() {
        self.executor = ThreadExecutor(name: "hdf5", prepare: Library.prepare)
    }

    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        self.executor.asUnownedSerialExecutor()
    }
}
