/// What a program may use up; each is more than an honest solution of an exercise needs.
public struct SandboxLimits: Hashable, Sendable {
    /// Processor time of each process in whole seconds, which decides alike on a busy machine and on an idle one.
    public var processorSeconds: Int
    /// The time from the program's start to its end, for programs that wait; far beyond what a busy machine makes of the other.
    public var time: Duration
    /// Address space of each process; at worst a program fills this as often as it may have processes.
    public var memoryBytes: Int
    /// Processes and threads at the same time, the program itself among them.
    public var processes: Int
    /// All files in the program's folder together.
    public var folderBytes: Int
    /// One file.
    public var fileBytes: Int
    public var openFiles: Int
    /// The longest text that a verdict carries.
    public var reasonBytes: Int

    public init(
        processorSeconds: Int = 3, time: Duration = .seconds(30), memoryBytes: Int = 1 << 30, processes: Int = 8,
        folderBytes: Int = 16 << 20, fileBytes: Int = 4 << 20, openFiles: Int = 64, reasonBytes: Int = 2000
    ) {
        self.processorSeconds = processorSeconds
        self.time = time
        self.memoryBytes = memoryBytes
        self.processes = processes
        self.folderBytes = folderBytes
        self.fileBytes = fileBytes
        self.openFiles = openFiles
        self.reasonBytes = reasonBytes
    }
}

extension SandboxLimits {
    /// Says what is wrong with them; nil when they can be used.
    var mistake: String? {
        if self.time <= .zero || self.time > .seconds(86400) {
            return "the time must be more than 0 s and at most 1 day"
        }
        if self.memoryBytes < 64 << 20 { return "Python needs 64 MiB of memory at least" }
        if self.openFiles < 16 { return "Python needs 16 open files at least" }
        let rest = [self.processorSeconds, self.processes, self.folderBytes, self.fileBytes, self.reasonBytes]
        return rest.contains { $0 < 1 } ? "each must be at least 1" : nil
    }

    /// The driver's arguments.
    var arguments: [String] {
        let (seconds, attoseconds) = self.time.components
        let milliseconds = max(1, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        let numbers = [
            Int(milliseconds), self.reasonBytes, self.processorSeconds, self.memoryBytes, self.processes,
            self.fileBytes, self.openFiles,
        ]
        return numbers.map { "\($0)" }
    }
}
