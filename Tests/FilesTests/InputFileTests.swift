import Crypto
import Foundation
import Testing

@testable import Files

/// What others left in place of a file never makes a reader wait, nor read without bounds.
@Suite struct InputFileTests {
    /// A folder that is removed afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/assay-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func failure(_ path: String, limit: Int = 100) -> FileError? {
        do throws(FileError) {
            _ = try InputFile.bytes(of: path, limit: limit)
            return nil
        } catch {
            return error
        }
    }

    @Test func aFileIsReadWhole() throws {
        try self.withFolder { folder in
            let path = folder + "/a"
            try Data("hello".utf8).write(to: URL(filePath: path))
            #expect(try InputFile.bytes(of: path, limit: 5) == Array("hello".utf8))
            try Data().write(to: URL(filePath: path))
            #expect(try InputFile.bytes(of: path, limit: 0) == [])
        }
    }

    @Test func aPipeWithoutAWriterIsNoFile() throws {
        try self.withFolder { folder in
            let path = folder + "/pipe"
            #expect(mkfifo(path, 0o600) == 0)
            #expect(self.failure(path)?.code == .notRegular)
        }
    }

    @Test func foldersAndDevicesAreNoFiles() throws {
        try self.withFolder { folder in #expect(self.failure(folder)?.code == .notRegular) }
        #expect(self.failure("/dev/zero")?.code == .notRegular)
    }

    @Test func whatIsTooLongIsNotRead() throws {
        try self.withFolder { folder in
            let path = folder + "/large"
            try Data().write(to: URL(filePath: path))
            // Far more than the machine's memory.
            #expect(truncate(path, 1 << 42) == 0)
            let error = self.failure(path)
            #expect(error?.code == .tooLarge)
            #expect(error?.description == "\(path): has 4398046511104 bytes; at most 100 are read of such a file")
        }
    }

    @Test func whatIsMissingOrForbiddenSaysSo() throws {
        try self.withFolder { folder in
            #expect(self.failure(folder + "/none")?.isMissing == true)
            #expect(self.failure(folder + "/none/none")?.isMissing == true)
            let path = folder + "/link"
            #expect(symlink("elsewhere", path) == 0)
            #expect(self.failure(path)?.isMissing == true)
            try Data("x".utf8).write(to: URL(filePath: folder + "/elsewhere"))
            #expect(try InputFile.bytes(of: path, limit: 1) == [0x78])
            #expect(throws: FileError.self) { _ = try InputFile(path: path, followsLinks: false) }
        }
    }

    /// Files in /proc say that they have no bytes.
    @Test func filesThatTellNoSizeAreReadToTheirEnd() throws {
        let text = String(decoding: try InputFile.bytes(of: "/proc/self/status", limit: 1 << 20), as: UTF8.self)
        #expect(text.hasPrefix("Name:") && text.hasSuffix("\n"))
        #expect(self.failure("/proc/self/status", limit: 10)?.code == .tooLarge)
    }

    @Test func digits() {
        #expect([0, 15, 255, 16].map(UInt8.init).hexadecimal == "000fff10")
        let text = SHA256.text(of: "abc".utf8)
        #expect(text == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(SHA256.isText(text))
        for wrong in ["", String(text.dropLast()), text + "0", text.uppercased(), "g" + text.dropFirst()] {
            #expect(!SHA256.isText(wrong))
        }
    }
}
