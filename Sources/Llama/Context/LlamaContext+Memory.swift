internal import CLlama
internal import CLlamaCalls

/// The memory of sequences.
extension LlamaContext {
    /// Forgets all sequences, so that what comes next does not depend on what was before.
    public func clear() {
        llama_memory_clear(llama_get_memory(self.pointer), false)
    }

    /// Forgets a sequence's tokens from `position` on.
    public func truncate(sequence: Int32, from position: Int = 0) throws(LlamaError) {
        try self.check(sequence)
        try self.truncate(anySequence: sequence, from: position)
    }

    /// The same for the spare sequence, too.
    func truncate(anySequence sequence: Int32, from position: Int) throws(LlamaError) {
        let (isDone, failure) = llamaCall {
            cllama_truncate(UnsafeMutableRawPointer(self.pointer), sequence, Int32(clamping: position), &$0)
        }
        guard isDone else {
            throw LlamaError(
                .unsupported,
                "this kind of model can't forget a part of a sequence (from position \(position))"
                    + (failure.map { ": \($0)" } ?? ""))
        }
    }

    /// Makes `target`, which must be empty or is forgotten, a copy of `source`.
    public func copy(sequence source: Int32, to target: Int32) throws(LlamaError) {
        try self.check(source)
        try self.check(target)
        guard source != target else { return }
        try self.truncate(sequence: target)
        // Whole sequences only: llama.cpp aborts on a part where sequences have cells of their own.
        let (isDone, failure) = llamaCall {
            cllama_copy(UnsafeMutableRawPointer(self.pointer), source, target, &$0)
        }
        guard isDone else {
            throw LlamaError(.decodeFailed, "sequence \(source) could not be copied: \(failure ?? "no reason given")")
        }
    }

    private func check(_ sequence: Int32) throws(LlamaError) {
        guard (0..<Int32(clamping: self.shape.sequences)).contains(sequence) else {
            throw LlamaError(
                .limitExceeded, "sequence \(sequence); this context has the sequences 0..<\(self.shape.sequences)")
        }
    }
}
