import CHDF5

/// What is set once for the whole library.
enum Library {
    /// Called on the library's thread before anything else.
    ///
    /// Error printing belongs to the thread; plug-ins, which run code named by a file, and the clean-up at exit, which
    /// touches files that failed, are switched off. None of these calls can fail once the library is linked.
    @Sendable static func prepare() {
        H5dont_atexit()
        H5open()
        H5Eset_auto2(chdf5_error_stack, nil, nil)
        H5PLset_loading_state(0)
    }
}
