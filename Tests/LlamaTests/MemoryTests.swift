import EngineTesting
import Foundation
import Testing

@testable import Llama

@Suite struct MemoryTests {
    @Test func availableMemoryIsRead() {
        let text = "MemTotal:       24000000 kB\nMemFree:  1 kB\nMemAvailable:   20000000 kB\n"
        #expect(SystemMemory.available(inMeminfo: text) == 20_000_000 << 10)
        #expect(SystemMemory.available(inMeminfo: "MemTotal: 5 kB\n") == nil)
        #expect(SystemMemory.available(inMeminfo: "MemAvailable: many\n") == nil)
    }

    @Test func controlGroupsAreRead() {
        #expect(SystemMemory.group("12:cpu:/a\n0::/system.slice/x.service\n") == "/system.slice/x.service")
        #expect(SystemMemory.group("1:memory:/a\n") == nil)
        let statistics = "anon 700\ninactive_file 200\nactive_file 50\nfile 250\n"
        #expect(SystemMemory.room(limit: 1000, used: 950, statistics: statistics) == 300)
        #expect(SystemMemory.room(limit: 1000, used: 1000, statistics: "") == 0)
        #expect(SystemMemory.room(limit: 500, used: 1000, statistics: "") == 0)
    }

    @Test func theProcessorHasNoMoreThanIsThere() throws {
        let processor = try #require(LlamaDevice.all().first { $0.kind == .cpu })
        #expect((1..<processor.totalMemory).contains(processor.freeMemory))
        let usable = try #require(LlamaDevice.usableMemory(of: processor.name))
        #expect(usable < processor.totalMemory)
        #expect(LlamaDevice.usableMemory(of: "no such device") == nil)
    }

    /// What is planned for keys and values is what the file's header says, and nothing is taken for it.
    @Test func aPlanTakesNothing() throws {
        let path = try TinyModel(contextLength: 1 << 22, width: 64, heads: 4, layers: 2).write()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try GGUFFile(path: path)
        // 4 GiB, and far more to compute with.
        let shape = ContextShape(
            layout: .shared, cells: 1 << 22, sequences: 4, batchTokens: 512, outputs: 32, threads: 1)
        let plan = try MemoryPlan(file, shape: shape, device: .cpu)
        #expect(plan.cache == shape.totalCells * file.cacheBytesPerToken)
        #expect(plan.cache == 4 << 30)
        #expect(plan.computation > (1 << 22) * 512 * 4)
        #expect((1...file.byteCount).contains(plan.weights))
        #expect(plan.total == plan.weights + plan.cache + plan.computation)
    }
}
