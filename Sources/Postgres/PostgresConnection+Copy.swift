internal import CPostgres

extension PostgresConnection {
    /// How much is encoded before it is sent and waited for.
    private static let copyChunk = 65536
    /// How much is handed to libpq at once.
    private static let copyPiece = 1 << 24

    /// Streams rows into a table with "COPY table (a, b) FROM STDIN"; returns the number of rows.
    ///
    /// Nothing is kept of a COPY that fails or is cancelled. Rows are encoded on the caller's side, and only as fast as
    /// the server takes them.
    @discardableResult
    public nonisolated func copyIn(
        _ statement: PostgresStatement, _ rows: some Sequence<[(any PostgresEncodable)?]>
    ) async throws(PostgresError) -> Int {
        try await self.beginCopy(statement)
        do throws(PostgresError) {
            var text = CopyText()
            for row in rows {
                try text.append(row, statement: statement.name)
                if text.bytes.count >= Self.copyChunk { try await self.sendCopy(text.take(), statement) }
            }
            try await self.sendCopy(text.take(), statement)
        } catch {
            throw await self.abandonCopy(statement, because: error)
        }
        return try await self.finishCopy(statement)
    }

    /// Streams rows that arrive over time; see the form for sequences.
    @discardableResult
    public nonisolated func copyIn<Rows: AsyncSequence>(
        _ statement: PostgresStatement, _ rows: Rows
    ) async throws -> Int where Rows.Element == [(any PostgresEncodable)?] {
        try await self.beginCopy(statement)
        do {
            var text = CopyText()
            for try await row in rows {
                try text.append(row, statement: statement.name)
                if text.bytes.count >= Self.copyChunk { try await self.sendCopy(text.take(), statement) }
            }
            try Task.checkCancellation()
            try await self.sendCopy(text.take(), statement)
        } catch {
            let refusal = await self.abandonCopy(
                statement, because: error as? PostgresError ?? PostgresError(.cancelled, "the rows ended early"))
            throw error is PostgresError ? refusal : error
        }
        return try await self.finishCopy(statement)
    }

    private func beginCopy(_ statement: PostgresStatement) async throws(PostgresError) {
        do throws(PostgresError) {
            try await self.acquire()
            do throws(PostgresError) {
                let result = try await self.exchange(statement, deadline: self.deadline(nil)) {
                    PQsendQuery($0, statement.sql)
                }
                guard result.status == PGRES_COPY_IN else {
                    throw await self.giveUpNoCopy(result)
                }
            } catch {
                self.release()
                throw error
            }
        } catch {
            throw error.naming(statement.name)
        }
    }

    private func giveUpNoCopy(_ result: ResultHandle) async -> PostgresError {
        // COPY TO STDOUT has begun to send; only the end of the connection stops it for sure.
        if result.status == PGRES_COPY_OUT || result.status == PGRES_COPY_BOTH {
            self.end(PostgresError(.connectionLost, "closed because of a COPY in the wrong direction"))
        }
        return PostgresError(.usage, "the statement is not a COPY ... FROM STDIN")
    }

    private func sendCopy(_ chunk: [UInt8], _ statement: PostgresStatement) async throws(PostgresError) {
        guard !chunk.isEmpty else { return }
        do throws(PostgresError) {
            guard !Task.isCancelled else { throw PostgresError(.cancelled, "cancelled; nothing was copied") }
            let handle = try self.handle()
            var rest = chunk[...]
            while !rest.isEmpty {
                // A single row can be larger than what libpq's length holds.
                let piece = rest.prefix(Self.copyPiece)
                let status = piece.withUnsafeBytes { bytes in
                    PQputCopyData(
                        handle.pointer, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(bytes.count))
                }
                guard status >= 0 else { throw self.lost(handle) }
                if status == 1 { rest = rest.dropFirst(piece.count) }
                // Waiting until the server has taken all of it keeps libpq's buffer small.
                try await self.flush(handle, until: self.deadline(nil))
            }
        } catch {
            throw error.naming(statement.name)
        }
    }

    private func finishCopy(_ statement: PostgresStatement) async throws(PostgresError) -> Int {
        defer { self.release() }
        do throws(PostgresError) {
            let result = try await self.exchange(statement, deadline: self.deadline(nil)) { PQputCopyEnd($0, nil) }
            return result.affectedRows
        } catch {
            throw error.naming(statement.name)
        }
    }

    /// Has the server drop what it got; returns the error to throw: the server's own if it had refused a row before.
    private func abandonCopy(_ statement: PostgresStatement, because error: PostgresError) async -> PostgresError {
        await Task { await self.failCopy(statement) }.value
        return error
    }

    private func failCopy(_ statement: PostgresStatement) async {
        defer { self.release() }
        guard self.isUsable else { return }
        let deadline = ContinuousClock.now + .seconds(30)
        // The server answers with the error that is asked for here; anything worse ends the connection.
        _ = try? await self.exchange(statement, deadline: deadline) { PQputCopyEnd($0, "abandoned by the client") }
    }
}

/// Rows in COPY's text format.
///
/// Reference: https://www.postgresql.org/docs/current/sql-copy.html
struct CopyText {
    /// Rows gathered so far.
    private(set) var bytes: [UInt8] = []
    private(set) var rowCount = 0

    mutating func append(_ row: [(any PostgresEncodable)?], statement: String) throws(PostgresError) {
        let start = self.bytes.count
        for (index, value) in row.enumerated() {
            if index > 0 { self.bytes.append(UInt8(ascii: "\t")) }
            guard let parameter = value?.postgresParameter else {
                self.bytes += [UInt8(ascii: "\\"), UInt8(ascii: "N")]
                continue
            }
            switch parameter.form {
            case .bytes:
                self.bytes += [UInt8(ascii: "\\"), UInt8(ascii: "\\"), UInt8(ascii: "x")]
                Hex.encode(parameter.bytes, into: &self.bytes)
            case .text:
                guard self.append(text: parameter.bytes) else {
                    self.bytes.removeSubrange(start...)
                    throw PostgresError(
                        .usage, "row \(self.rowCount + 1) of this chunk, value \(index + 1) contains a NUL character",
                        hint: "remove it, or store bytes in a bytea column", statement: statement)
                }
            }
        }
        self.bytes.append(UInt8(ascii: "\n"))
        self.rowCount += 1
    }

    /// Takes the gathered rows and begins anew.
    mutating func take() -> [UInt8] {
        defer {
            self.bytes.removeAll(keepingCapacity: true)
            self.rowCount = 0
        }
        return self.bytes
    }

    /// Escapes what has a meaning in the format; false when the text has a NUL in it.
    private mutating func append(text: [UInt8]) -> Bool {
        for byte in text {
            switch byte {
            case 0: return false
            case UInt8(ascii: "\\"): self.bytes += [UInt8(ascii: "\\"), UInt8(ascii: "\\")]
            case UInt8(ascii: "\n"): self.bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case UInt8(ascii: "\r"): self.bytes += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
            case UInt8(ascii: "\t"): self.bytes += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
            default: self.bytes.append(byte)
            }
        }
        return true
    }
}
