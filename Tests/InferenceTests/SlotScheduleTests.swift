import Testing

@testable import Inference

@Suite struct SlotScheduleTests {
    @Test func promptsStartInOrderInTheFirstFreeSlot() {
        var schedule = SlotSchedule(prompts: (0..<5).map { [Int32($0), 1] }, slots: 2)
        #expect(schedule.start() == .init(prompt: 0, slot: 0, kept: 0))
        #expect(schedule.start() == .init(prompt: 1, slot: 1, kept: 0))
        #expect(schedule.start() == nil)
        schedule.finish(1)
        #expect(schedule.start() == .init(prompt: 2, slot: 1, kept: 0))
        #expect(schedule.active.map(\.prompt) == [0, 2])
        schedule.finish(0)
        schedule.finish(1)
        #expect(schedule.start()?.prompt == 3)
        #expect(schedule.start()?.prompt == 4)
        #expect(schedule.start() == nil)
    }

    @Test func aLongSharedPrefixIsCopied() {
        let shots = (0..<100).map { Int32($0) }
        var schedule = SlotSchedule(prompts: [shots + [200], shots + [201], shots + [202]], slots: 2)
        #expect(schedule.start() == .init(prompt: 0, slot: 0, kept: 0))
        #expect(schedule.start() == .init(prompt: 1, slot: 1, copyFrom: 0, kept: 100))
        schedule.feed(7, to: 1)
        schedule.finish(1)
        // The slot's own memory is as good as the other's.
        #expect(schedule.start() == .init(prompt: 2, slot: 1, kept: 100))
    }

    @Test func theLastTokenIsAlwaysComputed() {
        let prompt = (0..<40).map { Int32($0) }
        var schedule = SlotSchedule(prompts: [prompt, prompt, Array(prompt.prefix(20))], slots: 2)
        _ = schedule.start()
        #expect(schedule.start()?.kept == 39)
        schedule.finish(0)
        #expect(schedule.start() == .init(prompt: 2, slot: 0, kept: 19))
    }

    @Test func promptsShareWholeBlocksAndNothingThatWasGenerated() {
        let shots = (0..<100).map { Int32($0) }
        var schedule = SlotSchedule(
            prompts: [shots, shots + [201], shots + [7, 8, 9], Array(shots.prefix(64))], slots: 2, block: 16)
        #expect(schedule.start() == .init(prompt: 0, slot: 0, kept: 0))
        #expect(schedule.start() == .init(prompt: 1, slot: 1, copyFrom: 0, kept: 96))
        for token in [7, 8, 9] as [Int32] { schedule.feed(token, to: 0) }
        schedule.finish(0)
        #expect(schedule.start() == .init(prompt: 2, slot: 0, kept: 96))
        schedule.finish(1)
        // The last token is computed, and all of its block.
        #expect(schedule.start() == .init(prompt: 3, slot: 1, kept: 48))
        schedule.finish(0)
        #expect(schedule.closeGap() == nil)
    }

    @Test func gapsCloseOnceNoPromptWaits() {
        var schedule = SlotSchedule(prompts: (0..<4).map { [Int32($0)] }, slots: 3)
        for _ in 0..<3 { _ = schedule.start() }
        schedule.finish(0)
        #expect(schedule.closeGap() == nil)
        #expect(schedule.start()?.slot == 0)
        schedule.finish(0)
        #expect(schedule.closeGap() == .init(from: 2, to: 0))
        #expect(schedule.closeGap() == nil)
        #expect(schedule.active.map(\.slot) == [0, 1])
        #expect(schedule.active.map(\.prompt) == [2, 1])
        schedule.finish(0)
        schedule.finish(1)
        #expect(schedule.closeGap() == nil)
        #expect(schedule.active.isEmpty)
    }
}
