import HDF5
import Testing

@HDF5Actor
@Suite struct SuperblockTests {
    private static func image() throws -> [UInt8] {
        let file = try File.createInMemory(name: "test")
        try write(file)
        return try file.closeToImage()
    }

    private static func write(_ file: borrowing File) throws {
        let values = (0..<3000).map { Double($0) }
        try file.root().createDataSet(
            "v", type: .float64, shape: [3000], storage: .compressed(rows: 1000, level: 4)
        ).write(values.span)
    }

    private static func refusal(_ bytes: [UInt8]) -> HDF5Error.Code? {
        #expect(throws: HDF5Error.self) { _ = try File.open(image: bytes, name: "test") }?.code
    }

    @Test func noTruncatedFileOpens() throws {
        let image = try Self.image()
        for length in stride(from: 0, to: image.count, by: 37) {
            #expect(Self.refusal(Array(image[..<length])) == .malformed)
        }
        #expect(Self.refusal(Array(image.dropLast())) == .malformed)
        #expect(Self.refusal(image + [0]) == .malformed)
    }

    @Test func aFileThatAWriterLeftOpenIsRefused() throws {
        var image = try Self.image()
        image[11] = 1
        #expect(Self.refusal(image) == .malformed)
    }

    @Test func otherVersionsAndOtherBytesAreRefused() throws {
        var image = try Self.image()
        image[8] = 0
        #expect(Self.refusal(image) == .malformed)
        #expect(Self.refusal([UInt8](repeating: 0x41, count: 1000)) == .malformed)
        var damaged = try Self.image()
        damaged[46] ^= 1
        #expect(Self.refusal(damaged) == .callFailed)
    }
}
