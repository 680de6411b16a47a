internal import CZlib
internal import ConfigFile
internal import Evaluation

/// A data file's text in UTF-8, whatever it was written in.
enum DataFile {
    /// Reads a file; gzip is unpacked, and a byte order mark says UTF-8 or UTF-16 and is taken off.
    ///
    /// - Throws: `TaskError` that says what the file is, where it is no text.
    static func text(_ path: String, limit: Int = DataSet.Limit.fileBytes) throws(TaskError) -> [UInt8] {
        var bytes = try TextFile.bytes(path, limit: limit)
        if bytes.starts(with: [0x1F, 0x8B]) { bytes = try self.unpacked(bytes, path, limit: limit) }
        if bytes.starts(with: "PAR1".utf8) { throw self.parquet(path) }
        for (mark, what) in self.marks where bytes.starts(with: mark) {
            throw TaskError(.unsupported, "this is \(what)", file: path)
        }
        return try TextFile.utf8(bytes, file: path)
    }

    static func parquet(_ path: String) -> TaskError {
        TaskError(
            .unsupported,
            "this is a Parquet file, which is not read; make JSON Lines of it: python3 -c \"import sys, pandas; "
                + "pandas.read_parquet(sys.argv[1]).to_json(sys.argv[2], orient='records', lines=True)\" FILE.parquet "
                + "FILE.jsonl", file: path)
    }

    /// How files begin that hold no text, and what to do with them.
    private static let marks: [([UInt8], String)] = [
        (
            Array("ARROW1".utf8),
            "an Arrow file, which is not read; make JSON Lines of it with `to_json` of the library datasets"
        ),
        (
            [0x50, 0x4B, 0x03, 0x04],
            "a zip archive (or a spreadsheet), which is not read; unpack it, or save it as CSV"
        ),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "packed with xz; unpack it first (xz -d FILE)"),
        (Array("BZh".utf8), "packed with bzip2; unpack it first (bzip2 -d FILE)"),
        ([0x28, 0xB5, 0x2F, 0xFD], "packed with zstd; unpack it first (zstd -d FILE)"),
        ([0xD0, 0xCF, 0x11, 0xE0], "an old Excel file, which is not read; save it as CSV"),
        (Array("SQLite format 3".utf8), "an SQLite database, which is not read; export its table as CSV"),
        (Array("%PDF".utf8), "a PDF file, which is not read"),
        (Array("version https://git-lfs".utf8), "a pointer of Git LFS, not the file itself; run `git lfs pull`"),
        (Array("<!DOCTYPE html".utf8), "a web page, not data; perhaps the download failed"),
        (Array("<html".utf8), "a web page, not data; perhaps the download failed"),
    ]

    private static func unpacked(_ bytes: [UInt8], _ path: String, limit: Int) throws(TaskError) -> [UInt8] {
        var stream = z_stream()
        guard czlib_begin(&stream) == Z_OK else {
            throw TaskError(.unreadableFile, "there is no memory to unpack the file", file: path)
        }
        defer { inflateEnd(&stream) }
        var unpacked: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 20)
        var position = 0
        var status = Z_OK
        while true {
            let taken = min(bytes.count - position, 1 << 20)
            let (left, made) = bytes[position..<position + taken].withUnsafeBufferPointer { input in
                block.withUnsafeMutableBufferPointer { output in
                    // zlib reads from it only.
                    stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                    stream.avail_in = UInt32(taken)
                    stream.next_out = output.baseAddress
                    stream.avail_out = UInt32(output.count)
                    status = inflate(&stream, Z_NO_FLUSH)
                    return (Int(stream.avail_in), output.count - Int(stream.avail_out))
                }
            }
            position += taken - left
            unpacked += block[..<made]
            guard unpacked.count <= limit else {
                throw TaskError(.limitExceeded, "the file is larger than \(limit) bytes when unpacked", file: path)
            }
            if status == Z_STREAM_END {
                // Files joined end to end are one file; zeros may fill up the end.
                guard bytes[position...].starts(with: [0x1F, 0x8B]) else { return unpacked }
                guard inflateReset(&stream) == Z_OK else { break }
                continue
            }
            guard status == Z_OK || (status == Z_BUF_ERROR && position < bytes.count), taken > 0 || made > 0 else {
                break
            }
        }
        throw TaskError(
            .invalidData,
            "the file is packed with gzip and can't be unpacked: \(status == Z_BUF_ERROR || status == Z_OK ? "its end is missing" : "it is damaged")",
            file: path)
    }
}
