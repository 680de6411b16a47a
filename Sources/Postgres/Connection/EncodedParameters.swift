internal import CPostgres

/// Parameters in the arrays that libpq wants.
struct EncodedParameters {
    let types: [UInt32]
    private var bytes: [UInt8] = []
    private var offsets: [Int?] = []
    private var lengths: [CInt] = []
    private var formats: [CInt] = []

    /// The wire protocol counts parameters in 16 bits.
    static let limit = 65535

    init(_ values: [(any PostgresEncodable)?], statement: String) throws(PostgresError) {
        guard values.count <= Self.limit else {
            throw PostgresError(
                .usage, "\(values.count) parameters, at most \(Self.limit) are possible; pass arrays, or use COPY",
                statement: statement)
        }
        var types: [UInt32] = []
        for (index, value) in values.enumerated() {
            guard let parameter = value?.postgresParameter else {
                types.append(0)
                self.offsets.append(nil)
                self.lengths.append(0)
                self.formats.append(0)
                continue
            }
            if parameter.form == .text, parameter.bytes.contains(0) {
                throw PostgresError(
                    .usage, "parameter $\(index + 1) contains a NUL character, which PostgreSQL's text can't hold",
                    hint: "remove it, or store bytes in a bytea column", statement: statement)
            }
            guard let length = CInt(exactly: parameter.bytes.count), length < 1_000_000_000 else {
                throw PostgresError(
                    .usage, "parameter $\(index + 1) has \(parameter.bytes.count) bytes, at most 1 GB is possible",
                    statement: statement)
            }
            types.append(parameter.typeOID)
            self.offsets.append(self.bytes.count)
            self.lengths.append(length)
            self.formats.append(parameter.form == .bytes ? 1 : 0)
            self.bytes += parameter.bytes
            self.bytes.append(0)
        }
        self.types = types
    }

    var count: CInt { CInt(self.offsets.count) }

    /// Calls `send` with values, lengths and formats.
    func withPointers(
        _ send: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<CInt>?, UnsafePointer<CInt>?) -> CInt
    ) -> CInt {
        self.bytes.withUnsafeBytes { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values = self.offsets.map { offset in offset.flatMap { start?.advanced(by: $0) } }
            return values.withUnsafeBufferPointer { values in
                self.lengths.withUnsafeBufferPointer { lengths in
                    self.formats.withUnsafeBufferPointer { formats in
                        send(values.baseAddress, lengths.baseAddress, formats.baseAddress)
                    }
                }
            }
        }
    }
}
