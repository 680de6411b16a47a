internal import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension Jail {
    /// Nobody, for root; nil where this process can or must stay who it is.
    static var identity: ProcessConfiguration.Identity? {
        guard geteuid() == 0, Self.maps("/proc/self/uid_map"), Self.maps("/proc/self/gid_map") else { return nil }
        return ProcessConfiguration.Identity(userID: Self.nobody, groupID: Self.nobody)
    }

    /// A container's root may have no other account than its own.
    private static func maps(_ path: String) -> Bool {
        guard let file = fopen(path, "re") else { return false }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return Self.maps(nobodyIn: String(decoding: bytes[..<count], as: UTF8.self))
    }

    /// Each line has the first number inside, the first outside, and how many.
    static func maps(nobodyIn text: String) -> Bool {
        text.split(separator: "\n").contains { line in
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            guard numbers.count == 3, numbers[0] <= UInt64(Self.nobody) else { return false }
            return UInt64(Self.nobody) - numbers[0] < numbers[2]
        }
    }
}
