internal import CUV

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Collects what a child writes to a pipe; used only on the loop.
final class OutputCapture {
    let pipe: UnsafeMutablePointer<uv_pipe_t>
    private let loop: EventLoop
    private let limit: Int
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
    private var output = CapturedOutput()
    private var isOpen = true

    init(on loop: EventLoop, limit: Int) {
        self.loop = loop
        self.limit = max(0, limit)
        self.pipe = .allocate(capacity: 1)
        uv_pipe_init(loop.handles.loop, self.pipe, 0)
        self.pipe.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { self.buffer.deallocate() }

    func start() {
        let stream = UnsafeMutableRawPointer(self.pipe).assumingMemoryBound(to: uv_stream_t.self)
        // A failure to start is an error that the last read sees as well.
        uv_read_start(
            stream,
            { handle, _, result in
                guard let capture = owner(OutputCapture.self, of: handle?.pointee.data) else { return }
                result?.pointee = uv_buf_init(
                    capture.buffer.baseAddress?.assumingMemoryBound(to: CChar.self), UInt32(capture.buffer.count))
            },
            { handle, count, _ in
                guard count > 0, let capture = owner(OutputCapture.self, of: handle?.pointee.data) else { return }
                capture.output.append(UnsafeRawBufferPointer(capture.buffer.prefix(count)), limit: capture.limit)
            })
    }

    /// Takes what the ended child had written, without waiting for others who hold the pipe's other end.
    func finish() -> CapturedOutput {
        var descriptor: CInt = -1
        let handle = UnsafeMutableRawPointer(self.pipe).assumingMemoryBound(to: uv_handle_t.self)
        if uv_fileno(handle, &descriptor) == 0 {
            while true {
                let count = read(descriptor, self.buffer.baseAddress, self.buffer.count)
                if count > 0 {
                    self.output.append(UnsafeRawBufferPointer(self.buffer.prefix(count)), limit: self.limit)
                } else if count == 0 || errno != EINTR {
                    break
                }
            }
        }
        self.output.trim(to: self.limit)
        return self.output
    }

    func close() {
        guard self.isOpen else { return }
        self.isOpen = false
        self.loop.closeHandle(self.pipe)
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func prefix(_ count: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: self[..<count])
    }
}
