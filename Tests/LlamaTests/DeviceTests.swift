import Testing

@testable import Llama

@Suite struct DeviceTests {
    @Test func thereIsAProcessor() throws {
        let processor = try #require(LlamaDevice.all().first { $0.kind == .cpu })
        #expect(processor.totalMemory > 0)
        #expect(processor.computeKind.hasPrefix("cpu"))
    }

    @Test(arguments: [("auto", DeviceChoice.auto), ("cpu", .cpu), ("cuda:0", .cuda(0)), ("cuda:12", .cuda(12))])
    func choicesAreWrittenAsTheyAreRead(_ text: String, _ choice: DeviceChoice) {
        #expect(DeviceChoice(text) == choice)
        #expect(choice.description == text)
    }

    @Test(arguments: ["", "gpu", "cuda", "cuda:", "cuda:-1", "cuda:x", "CPU"])
    func otherTextsAreNoChoice(_ text: String) {
        #expect(DeviceChoice(text) == nil)
    }

    @Test func aDeviceThatIsNotThereIsNamed() throws {
        let error = try llamaError { try LlamaModel(path: tinyModelPath, device: .cuda(97)) }
        #expect(error?.code == .deviceUnavailable)
        #expect(error?.message.contains("cuda:97") == true)
    }

    @Test func theBuildIsKnown() {
        #expect(LlamaBackend.build.contains("llama.cpp"))
    }
}
