/// What a role of the database may be granted; each one can also read everything.
public enum Ability: String, Sendable, Hashable, CaseIterable, Codable {
    case reader
    /// Submits runs, and changes its own: runs, schedules, models, data sets.
    case submitter
    /// Claims and computes, does chores, and fires schedules that are due.
    case worker
    /// Changes what is others', projects, and workers.
    case `operator`
}

/// One ability of one role of the database.
public struct RoleGrant: Sendable, Hashable, Encodable {
    public var role: String
    public var ability: Ability

    public init(role: String, ability: Ability) {
        self.role = role
        self.ability = ability
    }

    /// Reads "NAME=ABILITY"; a name may contain "=" itself.
    ///
    /// - Throws: `invalid`.
    public init(_ text: String) throws(QueueError) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        let name = parts.dropLast().joined(separator: "=")
        guard parts.count > 1, let last = parts.last, let ability = Ability(rawValue: String(last)) else {
            let all = Ability.allCases.map(\.rawValue).joined(separator: ", ")
            throw QueueError(.invalid, "'\(text)' is no grant: write ROLE=ABILITY, where ABILITY is one of \(all)")
        }
        // The server cuts longer names off, and would mean another role.
        guard (1...63).contains(name.utf8.count), !name.utf8.contains(0) else {
            throw QueueError(.invalid, "'\(name)' can't be the name of a role: names have 1 to 63 bytes")
        }
        self.init(role: name, ability: ability)
    }
}

/// What the role that is connected may do.
public struct RoleRights: Sendable, Hashable, Encodable {
    public var role: String
    /// The tables are its own, so it may do everything, and grant it.
    public var isOwner = false
    public var abilities: Set<Ability> = []

    public init(role: String) {
        self.role = role
    }
}
