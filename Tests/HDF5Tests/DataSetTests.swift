import HDF5
import Testing

@HDF5Actor
@Suite struct DataSetTests {
    private static func image(_ write: (borrowing Group) throws -> Void) throws -> [UInt8] {
        let file = try File.createInMemory(name: "test")
        try inRoot(of: file, write)
        return try file.closeToImage()
    }

    private static func inRoot(of file: borrowing File, _ body: (borrowing Group) throws -> Void) throws {
        try body(try file.root())
    }

    @Test func everyNumberReadsBackBitForBit() throws {
        func check<Value: Element & Equatable>(_ values: [Value]) throws {
            let image = try Self.image { root in
                try root.createDataSet("v", type: Value.elementType, shape: [values.count]).write(values.span)
            }
            let file = try File.open(image: image, name: "test")
            let dataSet = try file.root().dataSet("v")
            #expect(dataSet.type == Value.elementType && dataSet.shape == [values.count])
            #expect(try dataSet.read(Value.self, limit: 1 << 20) == values)
            let bytes = values.withUnsafeBytes { Array($0) }
            #expect(try dataSet.readBytes(limit: 1 << 20) == bytes)
        }
        try check([Int8.min, -1, 0, .max])
        try check([UInt8.min, .max])
        try check([Int32.min, -1, 0, .max])
        try check([Int64.min, -1, 0, .max])
        try check([UInt64.min, .max])
        try check([-Float.infinity, -0.0, .leastNonzeroMagnitude, .pi, .infinity])
        try check([-Double.infinity, -0.0, .leastNonzeroMagnitude, .pi, .infinity])
        try check([Double]())
    }

    @Test func readingWithinALimit() throws {
        let image = try Self.image { root in
            try root.createDataSet("v", type: .int32, shape: [100]).write([Int32](repeating: 1, count: 100).span)
        }
        let file = try File.open(image: image, name: "test")
        let dataSet = try file.root().dataSet("v")
        #expect(try dataSet.read(Int32.self, limit: 400).count == 100)
        let error = #expect(throws: HDF5Error.self) { _ = try dataSet.read(Int32.self, limit: 399) }
        #expect(error?.code == .tooLarge)
        let rows = try dataSet.readBytes(rows: 98..<100)
        #expect(rows == [1, 0, 0, 0, 1, 0, 0, 0])
        #expect(throws: HDF5Error.self) { _ = try dataSet.readBytes(rows: 98..<101) }
    }

    @Test func otherTypesAndCountsAreRefused() throws {
        let image = try Self.image { root in
            let dataSet = try root.createDataSet("v", type: .int32, shape: [2])
            #expect(throws: HDF5Error.self) { try dataSet.write([Int64(1), 2].span) }
            #expect(throws: HDF5Error.self) { try dataSet.write([Int32(1)].span) }
            #expect(throws: HDF5Error.self) { try dataSet.write([true, false]) }
            #expect(throws: HDF5Error.self) { try dataSet.write(["a", "b"]) }
            try dataSet.write([Int32(1), 2].span)
            let texts = try root.createDataSet("t", type: .string(width: 2), shape: [1])
            #expect(throws: HDF5Error.self) { try texts.write(["abc"]) }
            #expect(throws: HDF5Error.self) { try texts.write(["a\0"]) }
            try texts.write(["ab"])
        }
        let file = try File.open(image: image, name: "test")
        let root = try file.root()
        #expect(throws: HDF5Error.self) { _ = try root.dataSet("v").read(Float.self, limit: 100) }
        #expect(throws: HDF5Error.self) { _ = try root.dataSet("v").readStrings(limit: 100) }
        let missing = #expect(throws: HDF5Error.self) { _ = try root.dataSet("w") }
        #expect(missing?.code == .notFound)
    }

    @Test func aDataSetOfHolesIsRefused() throws {
        let image = try Self.image { root in
            _ = try root.createDataSet(
                "v", type: .float64, shape: [1 << 40], storage: .compressed(rows: 1 << 16, level: 1))
        }
        #expect(image.count < 10_000)
        let file = try File.open(image: image, name: "test")
        let error = #expect(throws: HDF5Error.self) { _ = try file.root().dataSet("v") }
        #expect(error?.code == .tooLarge)
    }

    @Test func virtualDataSetsAreRefusedUnlessAllowedAndShowTheirFillWhereAFileIsMissing() throws {
        let sources = [
            VirtualSource(file: "not-there.h5", dataSet: "/v", count: 2),
            VirtualSource(file: "nor-this.h5", dataSet: "/a/b", count: 1),
        ]
        let image = try Self.image { root in
            _ = try root.createVirtualDataSet("f", type: .float32, sources: sources, fill: .nan)
            _ = try root.createVirtualDataSet("i", type: .int32, sources: sources, fill: -1)
            _ = try root.createVirtualDataSet("b", type: .uint8, sources: [sources[0]], fill: 255)
            _ = try root.createDataSet("real", type: .uint8, shape: [1])
        }
        let file = try File.open(image: image, name: "test")
        let root = try file.root()
        let error = #expect(throws: HDF5Error.self) { _ = try root.dataSet("f") }
        #expect(error?.code == .unsupported)
        #expect(try root.dataSet("f", allowVirtual: true).read(Float.self, limit: 100).allSatisfy(\.isNaN))
        #expect(try root.dataSet("i", allowVirtual: true).read(Int32.self, limit: 100) == [-1, -1, -1])
        #expect(try root.dataSet("b", allowVirtual: true).read(UInt8.self, limit: 100) == [255, 255])
        #expect(try root.dataSet("f", allowVirtual: true).virtualSources() == sources)
        #expect(try root.dataSet("b", allowVirtual: true).virtualSources() == [sources[0]])
        #expect(try root.dataSet("real").virtualSources() == nil)
    }

    @Test func rowsAreWrittenAndReadInParts() throws {
        for storage in [DataSet.Storage.contiguous, .compressed(rows: 4, level: 1)] {
            let image = try Self.image { root in
                let dataSet = try root.createDataSet("v", type: .int32, shape: [10], storage: storage)
                for rows in [0..<3, 3..<9, 9..<10] {
                    let bytes = rows.map(Int32.init).withUnsafeBytes { Array($0) }
                    try dataSet.writeBytes(bytes, rows: rows)
                }
                #expect(throws: HDF5Error.self) { try dataSet.writeBytes([0, 0, 0, 0], rows: 10..<11) }
                #expect(throws: HDF5Error.self) { try dataSet.writeBytes([0, 0, 0], rows: 0..<1) }
            }
            let file = try File.open(image: image, name: "test")
            #expect(try file.root().dataSet("v").read(Int32.self, limit: 100) == Array(0..<10))
        }
    }
}
