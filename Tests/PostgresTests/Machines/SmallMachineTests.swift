import Testing

@testable import Postgres

@Suite struct PreparedStatementsTests {
    private func key(_ sql: String, _ types: [UInt32] = []) -> PreparedStatements.Key {
        PreparedStatements.Key(statement: PostgresStatement(name: "s", sql: sql), types: types)
    }

    @Test func preparesOnTheSecondUse() {
        var prepared = PreparedStatements()
        #expect(prepared.plan(self.key("a")) == .direct)
        let name = self.key("a").name
        #expect(prepared.plan(self.key("a")) == .prepare(name))
        prepared.didPrepare(self.key("a"), as: name)
        #expect(prepared.plan(self.key("a")) == .use(name))
        // Same name, other text or types: another statement.
        #expect(prepared.plan(self.key("b")) == .direct)
        #expect(prepared.plan(self.key("a", [17])) == .direct)
        prepared.forget(self.key("a"))
        // The server may still know the old one.
        #expect(prepared.plan(self.key("a")) == .prepare("\(name)_1"))
    }

    @Test func aNameStandsForOneStatement() {
        let names = [self.key("a"), self.key("b"), self.key("a", [17]), self.key("a", [1, 7]), self.key("ab")].map(
            \.name)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.utf8.count < 64 })
    }

    @Test func isBounded() {
        var prepared = PreparedStatements()
        for number in 0..<1000 { #expect(prepared.plan(self.key("\(number)")) == .direct) }
        #expect(prepared.plan(self.key("255")) == .prepare(self.key("255").name))
        #expect(prepared.plan(self.key("256")) == .direct)
    }
}

@Suite struct RetryTests {
    @Test func pausesGrowWithinTheirBounds() {
        let retry = PostgresRetry(maxAttempts: 5, initialPause: .milliseconds(10), maxPause: .milliseconds(50))
        var generator = Seeded(state: 1)
        for (attempt, bound) in [(1, 10), (2, 20), (3, 40), (4, 50), (1000, 50)] {
            for _ in 0..<100 {
                let pause = retry.pause(afterAttempt: attempt, using: &generator)
                #expect(pause >= .zero && pause <= .milliseconds(bound))
            }
        }
    }
}

@Suite struct PostmasterTests {
    @Test func readsTheFile() throws {
        let text = "4711\n/data\n1700000000\n5432\n/run\n\n  1234 5\nready   \n"
        let postmaster = try #require(Postmaster(pidFile: text))
        #expect(postmaster.processID == 4711)
        #expect(postmaster.isReady)
        #expect(Postmaster(pidFile: "4711\n/data\n1\n5432\n/run\n\n 1\nstarting\n")?.isReady == false)
    }

    @Test(arguments: ["", "x", "0", "-5\n", "99999999999999\n"])
    func otherTextIsNoServer(text: String) {
        #expect(Postmaster(pidFile: text) == nil)
    }
}

@Suite struct ServerSettingsTests {
    @Test func theLastActiveLineCounts() {
        let text = """
            #max_connections = 1
            max_connections = 100\t\t\t# (change requires restart)
            Shared_Buffers '128 MB' # four
              fsync=off
            fsync = on # again
            """
        #expect(ServerSettings.value(of: "max_connections", in: text) == "100")
        #expect(ServerSettings.value(of: "shared_buffers", in: text) == "128 MB")
        #expect(ServerSettings.value(of: "fsync", in: text) == "on")
        #expect(ServerSettings.value(of: "port", in: text) == nil)
    }
}
