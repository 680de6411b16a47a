import JobQueue
import Testing

@Suite struct RoleGrantTests {
    @Test func readsRoleAndAbility() throws {
        #expect(try RoleGrant("gpu=worker") == RoleGrant(role: "gpu", ability: .worker))
        #expect(try RoleGrant("a=b=operator") == RoleGrant(role: "a=b", ability: .operator))
    }

    @Test(arguments: [
        "", "gpu", "gpu=", "=worker", "gpu=owner", "gpu=Worker", "\u{0}=worker",
        String(repeating: "x", count: 64) + "=worker",
    ])
    func refusesOthers(text: String) {
        let error = #expect(throws: QueueError.self) { try RoleGrant(text) }
        #expect(error?.code == .invalid)
    }
}
