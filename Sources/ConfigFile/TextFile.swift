public import Evaluation
internal import Files

/// A file of text that a user wrote: read within bounds, in UTF-8 or with a byte order mark in UTF-16.
public enum TextFile {
    /// A file's bytes.
    ///
    /// - Throws: `TaskError` with the reason that the system gives.
    public static func bytes(_ path: String, limit: Int) throws(TaskError) -> [UInt8] {
        do throws(FileError) {
            return try InputFile.bytes(of: path, limit: limit)
        } catch {
            if error.isMissing { throw TaskError(.unreadableFile, "there is no such file", file: path) }
            switch error.code {
            case .tooLarge: throw TaskError(.limitExceeded, "the file is larger than \(limit) bytes", file: path)
            case .notRegular: throw TaskError(.unreadableFile, "this is no regular file", file: path)
            default: throw TaskError(.unreadableFile, "the file \(error.reason)", file: path)
            }
        }
    }

    /// The bytes without a byte order mark, as UTF-8.
    ///
    /// - Throws: `TaskError` with the line of the first byte that is not UTF-8.
    public static func utf8(_ bytes: [UInt8], file: String) throws(TaskError) -> [UInt8] {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return try self.checked(Array(bytes[3...]), file: file) }
        let isLittle = bytes.starts(with: [0xFF, 0xFE])
        if isLittle || bytes.starts(with: [0xFE, 0xFF]) {
            guard !bytes.starts(with: [0xFF, 0xFE, 0x00, 0x00]) else {
                throw TaskError(
                    .unsupported, "the file is UTF-32, which is not read; save it as UTF-8", file: file)
            }
            guard bytes.count.isMultiple(of: 2) else {
                throw TaskError(.invalidData, "the file is UTF-16 and ends within a character", file: file)
            }
            var units: [UInt16] = []
            units.reserveCapacity(bytes.count / 2)
            for index in stride(from: 2, to: bytes.count, by: 2) {
                let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
                units.append(isLittle ? second << 8 | first : first << 8 | second)
            }
            guard let text = String(validating: units, as: UTF16.self) else {
                throw TaskError(.invalidData, "the file is UTF-16 with half of a surrogate pair", file: file)
            }
            return Array(text.utf8)
        }
        // ASCII in UTF-16 has a zero in every second byte.
        let head = bytes.prefix(64)
        if head.count >= 4, head.count(where: { $0 == 0 }) * 3 >= head.count {
            throw TaskError(
                .unsupported, "the file seems to be UTF-16 or UTF-32 without a byte order mark; save it as UTF-8",
                file: file)
        }
        return try self.checked(bytes, file: file)
    }

    private static func checked(_ bytes: [UInt8], file: String) throws(TaskError) -> [UInt8] {
        var decoder = UTF8()
        var position = 0
        var line = 1
        // Most files are ASCII but for a few letters.
        while position < bytes.count {
            let byte = bytes[position]
            if byte < 0x80 {
                if byte == UInt8(ascii: "\n") { line += 1 }
                position += 1
                continue
            }
            let count = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
            var iterator = bytes[position..<min(position + count, bytes.count)].makeIterator()
            guard case .scalarValue(let scalar) = decoder.decode(&iterator), UTF8.width(scalar) == count else {
                throw TaskError(
                    .invalidData,
                    "the text is not UTF-8 (byte 0x\(String(byte, radix: 16))); if it is Latin-1, convert it: "
                        + "iconv -f LATIN1 -t UTF-8", file: file, line: line)
            }
            decoder = UTF8()
            position += count
        }
        return bytes
    }
}
