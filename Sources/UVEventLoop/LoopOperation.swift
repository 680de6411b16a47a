internal import CUV

/// Something with open libuv handles; the loop holds it until its handles are closed.
///
/// Used only on the loop's thread.
protocol LoopOperation: AnyObject {
    /// Delivers `.shutDown` to those that wait and closes the handles.
    func loopWillEnd()
}

extension EventLoop {
    func register(_ operation: some LoopOperation) {
        self.confined.operations[ObjectIdentifier(operation)] = operation
    }

    func unregister(_ operation: some LoopOperation) {
        self.confined.operations[ObjectIdentifier(operation)] = nil
    }

    func allocateHandle<Handle>(_: Handle.Type, owner: AnyObject) -> UnsafeMutablePointer<Handle> {
        let handle = UnsafeMutablePointer<Handle>.allocate(capacity: 1)
        // Every handle type begins with the fields of uv_handle_t. The owner is registered, so it outlives the handle.
        UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self).pointee.data =
            Unmanaged.passUnretained(owner).toOpaque()
        return handle
    }

    /// Closes an initialised handle and frees its memory; its callbacks don't come any more.
    func closeHandle<Handle>(_ handle: UnsafeMutablePointer<Handle>) {
        uv_close(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)) { handle in
            UnsafeMutableRawPointer(handle)?.deallocate()
        }
    }
}

/// The owner stored by `allocateHandle`.
func owner<Owner: AnyObject>(_: Owner.Type, of data: UnsafeMutableRawPointer?) -> Owner? {
    data.map { Unmanaged<Owner>.fromOpaque($0).takeUnretainedValue() }
}
