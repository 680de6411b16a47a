import CHDF5

/// An identifier of the library that is given back exactly once.
///
/// `deinit` gives it back on error paths; where the result matters, `close(_:)` does and checks.
struct Handle: ~Copyable {
    let id: hid_t
    private let release: @convention(c) (hid_t) -> herr_t

    /// Takes an identifier that the library has just handed out, already checked to be valid.
    init(_ id: hid_t, _ release: @escaping @convention(c) (hid_t) -> herr_t) {
        self.id = id
        self.release = release
    }

    deinit {
        _ = self.release(self.id)
    }

    @HDF5Actor
    consuming func close(_ operation: String, on object: String) throws(HDF5Error) {
        let id = self.id
        let release = self.release
        discard self
        try checked(operation, on: object) { release(id) }
    }
}

@available(*, unavailable)
extension Handle: Sendable {}
