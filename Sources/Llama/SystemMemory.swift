internal import CLlama
internal import CLlamaCalls

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The memory that processes here can still get, in bytes.
///
/// A system promises more than it has, and kills a process that believes it.
enum SystemMemory {
    /// What the machine has, within the limits of the control groups that this process is in; `nil` if it is unknown.
    static func available() -> Int? {
        guard let machine = Self.text("/proc/meminfo").flatMap(Self.available(inMeminfo:)) else { return nil }
        let group = Self.text("/proc/self/cgroup").flatMap(Self.group) ?? "/"
        return ([machine] + Self.folders(of: group).compactMap(Self.room(inGroup:))).min()
    }

    /// "MemAvailable" of /proc/meminfo.
    static func available(inMeminfo text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
        }
        return nil
    }

    /// The control group of version 2 in /proc/self/cgroup.
    static func group(_ text: String) -> String? {
        text.split(separator: "\n").first { $0.hasPrefix("0::") }.map { String($0.dropFirst(3)) }
    }

    /// The folders of a group and of those it is in: each may have a limit.
    private static func folders(of group: String) -> [String] {
        var folders = ["/sys/fs/cgroup"]
        for name in group.split(separator: "/") { folders.append("\(folders[folders.count - 1])/\(name)") }
        return folders
    }

    private static func room(inGroup folder: String) -> Int? {
        guard let limit = Self.number("\(folder)/memory.max"), let used = Self.number("\(folder)/memory.current") else {
            return nil
        }
        return Self.room(limit: limit, used: used, statistics: Self.text("\(folder)/memory.stat") ?? "")
    }

    /// What is left of a group's limit; pages of files count as used, but give way.
    static func room(limit: Int, used: Int, statistics: String) -> Int {
        var reclaimable = 0
        for line in statistics.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, words[0] == "inactive_file" || words[0] == "active_file" else { continue }
            reclaimable += Int(words[1]) ?? 0
        }
        return max(0, limit - max(0, used - reclaimable))
    }

    /// `nil` for "max", which is no limit.
    private static func number(_ path: String) -> Int? {
        Self.text(path).flatMap { Int($0.split(separator: "\n").first ?? "") }
    }

    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
            count = fread(buffer.baseAddress, 1, buffer.count, file)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What a model with a context takes, in bytes, found out before anything is taken.
public struct MemoryPlan: Sendable, Hashable {
    /// On the device that computes.
    public var weights: Int
    /// Keys and values.
    public var cache: Int
    /// What lies between two layers while a batch is computed, and its outputs.
    public var computation: Int

    public var total: Int { self.weights + self.cache + self.computation }

    /// Asks llama.cpp, which reads the file's description of its tensors but no weights; a fraction of a second.
    ///
    /// - Throws: `LlamaError` of codes `deviceUnavailable`, `loadFailed` or `outOfMemory`, as loading would.
    public init(_ file: GGUFFile, shape: ContextShape, device: DeviceChoice) throws(LlamaError) {
        try shape.check()
        let (found, accelerator) = try device.resolve()
        var memory = cllama_memory()
        let (planned, complaints) = LogRouter.shared.capturing {
            LlamaModel.withParameters(accelerator) { model in
                var context = LlamaContext.parameters(shape, of: file)
                return llamaCall { cllama_plan_memory(file.path, &model, &context, &memory, &$0) }
            }
        }
        guard planned.value else {
            let reasons = complaints + (planned.failure.map { [$0] } ?? [])
            throw LlamaError(
                .loadFailed,
                "\(file.path): llama.cpp can't plan a context of \(shape.totalCells) tokens: "
                    + (reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")))
        }
        let isHost = found.kind == .cpu
        let outputs = shape.outputRows * file.vocabularySize * MemoryLayout<Float>.size
        self.weights = Int(clamping: isHost ? memory.host_weights : memory.device_weights)
        self.cache = Int(clamping: isHost ? memory.host_cache : memory.device_cache)
        self.computation = Int(clamping: isHost ? memory.host_compute : memory.device_compute) + (isHost ? outputs : 0)
    }
}
