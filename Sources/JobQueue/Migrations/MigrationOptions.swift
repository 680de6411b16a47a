/// What a migration does besides bringing the schema up to date.
public struct MigrationOptions: Sendable {
    /// Abilities to give.
    public var grants: [RoleGrant]
    /// Abilities to take away.
    public var revocations: [RoleGrant]
    /// Go ahead although workers or roles will be locked out.
    public var isForced: Bool
    /// How long to go on trying while others hold locks.
    public var patience: Duration

    public init(
        grants: [RoleGrant] = [], revocations: [RoleGrant] = [], isForced: Bool = false,
        patience: Duration = .seconds(60)
    ) {
        self.grants = grants
        self.revocations = revocations
        self.isForced = isForced
        self.patience = patience
    }
}
