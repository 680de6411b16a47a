import Foundation
import Glibc
import HDF5
import Testing

@HDF5Actor
@Suite struct FileTests {
    private struct Content: Equatable {
        var bytes: [UInt8] = [1, 2, 3]
        var numbers: [Double] = (0..<10_000).map { Double($0) / 3 }
        var flags = [true, false, true]
        var texts = ["a", "größer", ""]
    }

    private static func write(_ content: Content, into file: borrowing File) throws {
        let root = try file.root()
        try root.setAttribute("name", "grün")
        try root.setAttribute("count", 7)
        try root.setAttribute("flag", .flag(true))
        let group = try root.createGroup("group")
        try group.setAttribute("names", .texts(["one", "two"]))
        try group.createDataSet("bytes", type: .uint8, shape: [3]).write(content.bytes.span)
        let storage = DataSet.Storage.compressed(rows: 4096, level: 4)
        try group.createDataSet("numbers", type: .float64, shape: [10_000], storage: storage).write(
            content.numbers.span)
        try group.createDataSet("flags", type: .bool, shape: [3]).write(content.flags)
        try group.createDataSet("texts", type: .string(width: 8), shape: [3]).write(content.texts)
    }

    private static func read(_ file: borrowing File) throws -> Content {
        let group = try file.root().group("group")
        return Content(
            bytes: try group.dataSet("bytes").read(UInt8.self, limit: 100),
            numbers: try group.dataSet("numbers").read(Double.self, limit: 100_000),
            flags: try group.dataSet("flags").readBools(limit: 100),
            texts: try group.dataSet("texts").readStrings(limit: 100))
    }

    private static func image(_ content: Content = Content()) throws -> [UInt8] {
        let file = try File.createInMemory(name: "test")
        try write(content, into: file)
        return try file.closeToImage()
    }

    @Test func anImageReadsBackAsWritten() throws {
        let file = try File.open(image: try Self.image(), name: "test")
        #expect(try Self.read(file) == Content())
        try file.close()
    }

    @Test func aFileOnDiskReadsBackAsWritten() throws {
        let path = NSTemporaryDirectory() + "/hdf5-\(UUID().uuidString).h5"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let written = try File.create(path: path)
        try Self.write(Content(), into: written)
        try written.close()
        let file = try File.open(path: path)
        #expect(try Self.read(file) == Content())
        try file.close()
        let image = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let same = try File.open(image: image, name: "image of a file on disk")
        #expect(try Self.read(same) == Content())
    }

    @Test func aFileBehindADescriptorReadsBackWhateverBecomesOfItsPath() throws {
        let path = NSTemporaryDirectory() + "/hdf5-\(UUID().uuidString).h5"
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        defer { Glibc.close(descriptor) }
        // Nothing is opened by its path.
        defer { try? FileManager.default.removeItem(atPath: path + ".moved") }
        try FileManager.default.moveItem(atPath: path, toPath: path + ".moved")
        let written = try File.create(descriptor: descriptor, name: "test")
        try Self.write(Content(), into: written)
        try written.close()
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + ".moved")))
        #expect(try Self.read(try File.open(image: bytes, name: "test")) == Content())
        let file = try File.open(descriptor: descriptor, byteCount: bytes.count, name: "test")
        #expect(try Self.read(file) == Content())
        try file.close()
        for wrong in [bytes.count - 1, bytes.count + 1] {
            let error = #expect(throws: HDF5Error.self) {
                _ = try File.open(descriptor: descriptor, byteCount: wrong, name: "test")
            }
            #expect(error?.code == .malformed)
        }
    }

    @Test func aFullDiskIsAnErrorWhenTheFileIsClosed() throws {
        let full = Glibc.open("/dev/full", O_RDWR | O_CLOEXEC)
        defer { Glibc.close(full) }
        let error = try #require(throws: HDF5Error.self) { try Self.writeAndClose(full) }
        #expect(error.systemError == ENOSPC)
        // The library is in order for what comes after.
        #expect(try Self.read(try File.open(image: try Self.image(), name: "after")) == Content())
    }

    private static func writeAndClose(_ descriptor: Int32) throws {
        let file = try File.create(descriptor: descriptor, name: "test")
        try Self.write(Content(numbers: (0..<10_000).map { Double($0).squareRoot() }), into: file)
        try file.close()
    }

    @Test func theSameContentGivesTheSameBytes() throws {
        let first = try Self.image()
        // Other work in between leaves other bytes in freed memory.
        _ = try Self.image(Content(numbers: (0..<10_000).map { Double($0 * $0) }))
        #expect(try Self.image() == first)
    }

    @Test func attributesReadBackAsWritten() throws {
        let file = try File.open(image: try Self.image(), name: "test")
        let root = try file.root()
        #expect(try root.attribute("name") == "grün")
        #expect(try root.attribute("count") == 7)
        #expect(try root.attribute("flag") == .flag(true))
        #expect(try root.attribute("none") == nil)
        #expect(try root.group("group").attribute("names") == .texts(["one", "two"]))
    }

    @Test func creatingAFileThatIsThereFailsWithTheLibrarysReason() throws {
        let path = NSTemporaryDirectory() + "/hdf5-\(UUID().uuidString).h5"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try File.create(path: path).close()
        let error = try #require(throws: HDF5Error.self) { _ = try File.create(path: path) }
        #expect(error.code == .callFailed && error.operation == "H5Fcreate" && error.object == path)
        #expect(error.stack.contains { $0.hasPrefix("H5Fcreate: ") })
        #expect(error.systemError == 17)
    }

    @Test func closingFailsWhileSomethingIsOpen() throws {
        let error = #expect(throws: HDF5Error.self) { try Self.closeTooEarly() }
        #expect(error?.operation == "H5Fclose")
    }

    private static func closeTooEarly() throws {
        let file = try File.createInMemory(name: "test")
        let group = try file.root().createGroup("group")
        try file.close()
        Issue.record("closed with \(group.path) open")
    }

    @Test(arguments: ["", ".", "a/b", "a\0b"])
    func namesThatLeadElsewhereAreRefused(name: String) throws {
        let file = try File.createInMemory(name: "test")
        let root = try file.root()
        let error = #expect(throws: HDF5Error.self) { _ = try root.createGroup(name) }
        #expect(error?.code == .unsupported)
        #expect(throws: HDF5Error.self) { _ = try root.dataSet(name) }
    }
}
