import FoundationEssentials

/// A worker's or a job's engine in words, from the JSON that workers say of theirs.
public struct EngineName: Sendable, Hashable, CustomStringConvertible {
    private let members: [String: String]

    /// - Returns: Nil for what is no such JSON.
    public init?(json: String) {
        guard let members = try? JSONDecoder().decode([String: String].self, from: Data(json.utf8)) else { return nil }
        self.members = members
    }

    /// Such as "llama.cpp b7001 on cpu-avx512".
    public var description: String {
        let names = [members["engine"], members["build"]].compactMap { $0 }.joined(separator: " ")
        return (names.isEmpty ? "an engine" : names) + (members["device_kind"].map { " on \($0)" } ?? "")
    }
}

extension EngineName {
    /// What people know best comes first.
    private static let order = [
        "engine", "build", "device_kind", "cpu_features", "gpu_features", "gpu_driver", "plan_version",
    ]

    /// The first thing in which another engine differs from this one; nil where nothing does.
    ///
    /// - Parameter owner: Whose the other engine is.
    func difference(from other: EngineName, of owner: String) -> String? {
        let rest = Set(members.keys).union(other.members.keys).subtracting(Self.order).sorted()
        guard let name = (Self.order + rest).first(where: { members[$0] != other.members[$0] }) else { return nil }
        let (own, others) = (members[name], other.members[name])
        if name.hasSuffix("_features"), let own, let others {
            let (mine, theirs) = (Self.features(own), Self.features(others))
            let missing = mine.subtracting(theirs).sorted().joined(separator: ", ")
            let additional = theirs.subtracting(mine).sorted().joined(separator: ", ")
            let parts = [
                missing.isEmpty ? nil : "lacks \(missing)", additional.isEmpty ? nil : "has \(additional) besides",
            ].compactMap { $0 }
            return "of \(name), \(owner) \(parts.joined(separator: " and "))"
        }
        return "\(name) is \(own ?? "not said") in the results and \(others ?? "not said") on \(owner)"
    }

    private static func features(_ list: String) -> Set<String> {
        Set(list.split(separator: ",").map(String.init))
    }
}
