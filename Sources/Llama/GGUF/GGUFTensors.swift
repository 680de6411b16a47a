internal import CLlama

/// What is kept of a file's tensors.
struct GGUFTensors: Sendable, Hashable {
    var count = 0
    var parameterCount = 0
    /// Whether rotary frequencies come in a long and a short variant, chosen by the context's size.
    var hasLongRopeFactors = false
    /// The types of experts' weights, as ggml counts them.
    var expertTypes: Set<UInt32> = []
}

extension FileReader {
    /// Reads the descriptions of all tensors and checks that their data lie within the file.
    mutating func tensors(count: Int, alignment: Int) throws(LlamaError) -> GGUFTensors {
        var result = GGUFTensors(count: count)
        var names: Set<String> = []
        // The offsets are relative to the data section, which begins after the last description.
        var extents: [(name: String, end: Int)] = []
        for _ in 0..<count {
            let name = try self.string("a tensor's name", limit: GGUFLimits.tensorNameBytes)
            guard names.insert(name).inserted else {
                throw LlamaError(.malformedFile, "\(self.path): is damaged: tensor \(name) is there twice")
            }
            let (elements, bytes, type) = try self.shape(of: name)
            if name.contains("exps") { result.expertTypes.insert(type) }
            let offset = try self.integer(UInt64.self)
            let end = offset.addingReportingOverflow(UInt64(bytes))
            guard offset % UInt64(alignment) == 0, !end.overflow, end.partialValue <= UInt64(Int.max) else {
                throw LlamaError(.malformedFile, "\(self.path): is damaged: tensor \(name) has the offset \(offset)")
            }
            extents.append((name, Int(end.partialValue)))
            let total = result.parameterCount.addingReportingOverflow(elements)
            guard !total.overflow else {
                throw LlamaError(.malformedFile, "\(self.path): is damaged: too many parameters at tensor \(name)")
            }
            result.parameterCount = total.partialValue
            if name.hasPrefix("rope_factors_long") { result.hasLongRopeFactors = true }
        }
        let dataStart = (self.offset + alignment - 1) / alignment * alignment
        for (name, end) in extents where end > self.size - dataStart {
            throw LlamaError(
                .malformedFile,
                "\(self.path): is truncated or damaged: tensor \(name) ends at offset \(dataStart) + \(end), "
                    + "but the file ends at \(self.size); get the file again")
        }
        return result
    }

    /// Elements and bytes of a tensor, from its dimensions and type.
    private mutating func shape(of name: String) throws(LlamaError) -> (elements: Int, bytes: Int, type: UInt32) {
        let rank = try self.integer(UInt32.self)
        guard rank <= UInt32(GGUFLimits.dimensions) else {
            throw LlamaError(.malformedFile, "\(self.path): is damaged: tensor \(name) has \(rank) dimensions")
        }
        var elements = 1
        var rowLength = 1
        for dimension in 0..<rank {
            let length = try self.integer(UInt64.self)
            let product = elements.multipliedReportingOverflow(by: Int(clamping: length))
            guard length > 0, !product.overflow, product.partialValue < Int.max / 16 else {
                throw LlamaError(
                    .malformedFile, "\(self.path): is damaged: tensor \(name) has the length \(length) in a dimension")
            }
            elements = product.partialValue
            if dimension == 0 { rowLength = elements }
        }
        let rawType = try self.integer(UInt32.self)
        guard rawType < GGML_TYPE_COUNT.rawValue else {
            throw LlamaError(
                .unsupported, "\(self.path): tensor \(name) has the type \(rawType), unknown to \(LlamaBackend.build)")
        }
        let type = ggml_type(rawType)
        let blockLength = Int(ggml_blck_size(type))
        guard blockLength > 0, rowLength % blockLength == 0 else {
            throw LlamaError(
                .malformedFile, "\(self.path): is damaged: the rows of tensor \(name) do not fit the type \(rawType)")
        }
        // llama.cpp checks shapes, not types: it has no code for these, and ends the process when it computes.
        guard rank > 1 || type == GGML_TYPE_F32 else {
            throw LlamaError(
                .unsupported, "\(self.path): the vector \(name) has the type \(rawType); vectors have 32-bit floats")
        }
        guard ggml_get_type_traits_cpu(type)?.pointee.vec_dot != nil || name.contains("tid2eid") else {
            throw LlamaError(
                .unsupported, "\(self.path): llama.cpp can't multiply the type \(rawType), which tensor \(name) has")
        }
        let bytes = (elements / blockLength).multipliedReportingOverflow(by: ggml_type_size(type))
        guard !bytes.overflow else {
            throw LlamaError(.malformedFile, "\(self.path): is damaged: tensor \(name) is too large")
        }
        return (elements, bytes.partialValue, rawType)
    }
}
