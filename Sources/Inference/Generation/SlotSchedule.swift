/// Which prompt is generated from in which sequence.
///
/// Prompts are started in their order, each in the first free slot, and begin with a copy of the longest prefix that any slot
/// still holds. What happens depends on the prompts and on which texts have ended, never on timing.
struct SlotSchedule: Sendable {
    /// How a prompt is to be started.
    struct Start: Sendable, Hashable {
        var prompt: Int
        var slot: Int
        /// The slot to copy first; `nil` if the slot's own content is at least as good.
        var copyFrom: Int?
        /// The tokens of the prompt that are there then; always fewer than the prompt has.
        var kept: Int
    }

    /// A sequence that is to be moved.
    struct Move: Sendable, Hashable {
        var from: Int
        var to: Int
    }

    /// A copy moves all of a sequence's memory, so a few tokens are not worth it.
    static let shortestCopy = 32

    private let prompts: [[Int32]]
    /// Prompts share whole blocks of so many tokens, and none that were generated, if it is more than 1.
    private let block: Int
    private var nextPrompt = 0
    /// The tokens in each slot's memory that others may share.
    private var contents: [[Int32]]
    /// The prompt each slot works at.
    private var occupants: [Int?]

    init(prompts: [[Int32]], slots: Int, block: Int = 1) {
        self.prompts = prompts
        self.block = block
        self.contents = Array(repeating: [], count: slots)
        self.occupants = Array(repeating: nil, count: slots)
    }

    /// The prompts being worked at, by slot, in the order of slots.
    var active: [(slot: Int, prompt: Int)] {
        self.occupants.enumerated().compactMap { slot, prompt in prompt.map { (slot, $0) } }
    }

    /// Assigns the next prompt to the first free slot; `nil` if there is none of either.
    mutating func start() -> Start? {
        guard self.nextPrompt < self.prompts.count, let slot = self.occupants.firstIndex(of: nil) else { return nil }
        let prompt = self.prompts[self.nextPrompt]
        let shared = self.contents.map { Self.commonLength($0, prompt) }
        var start = Start(prompt: self.nextPrompt, slot: slot, kept: shared[slot])
        if let best = shared.indices.max(by: { shared[$0] < shared[$1] || (shared[$0] == shared[$1] && $0 > $1) }),
            shared[best] >= shared[slot] + Self.shortestCopy
        {
            start.copyFrom = best
            start.kept = shared[best]
        }
        // The last token is always computed: its output is the first new token.
        start.kept = min(start.kept, prompt.count - 1) / self.block * self.block
        self.contents[slot] = prompt
        self.occupants[slot] = self.nextPrompt
        self.nextPrompt += 1
        return start
    }

    /// Notes that a token was fed to a slot.
    mutating func feed(_ token: Int32, to slot: Int) {
        if self.block == 1 { self.contents[slot].append(token) }
    }

    /// Frees a slot; its memory stays, for prompts that begin alike.
    mutating func finish(_ slot: Int) {
        self.occupants[slot] = nil
    }

    /// Closes a gap when no prompts wait any more: llama.cpp computes only neighbouring sequences together.
    ///
    /// With blocks there are no gaps: free slots get a token, too.
    mutating func closeGap() -> Move? {
        guard self.block == 1, self.nextPrompt == self.prompts.count, let gap = self.occupants.firstIndex(of: nil),
            let last = self.occupants.lastIndex(where: { $0 != nil }), last > gap
        else { return nil }
        self.occupants.swapAt(gap, last)
        self.contents[gap] = self.contents[last]
        return Move(from: last, to: gap)
    }

    private static func commonLength(_ first: [Int32], _ second: [Int32]) -> Int {
        let end = min(first.count, second.count)
        var length = 0
        while length < end, first[length] == second[length] { length += 1 }
        return length
    }
}
