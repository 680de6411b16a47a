import Calendar
import FoundationEssentials
import Testing

@testable import JobQueue

/// What a schedule does, as a value.
@Suite struct ScheduleMachineTests {
    private static let run = RunID(unchecked: "k3f9x2a0")
    private static let other = RunID(unchecked: "k3f9x2a1")

    private func machine(
        _ cron: String = "0 * * * *", overlap: OverlapPolicy = .skip, catchUp: Int = 12 * 3600, jitter: Int = 0,
        from start: String = "2026-03-01 00:30"
    ) throws -> ScheduleMachine {
        ScheduleMachine(
            timing: try timing(cron, overlap: overlap, catchUp: catchUp, jitter: jitter), zone: .utc,
            key: ScheduleKey(uuid: UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16))),
            startingAt: try utc(start))
    }

    @Test func nothingIsDoneBeforeItIsDue() throws {
        var machine = try machine()
        let before = machine
        #expect(machine.step(now: try utc("2026-03-01 00:59"), open: []) == ScheduleMachine.Step())
        #expect(machine == before)
        #expect(try machine.lookAt(now: utc("2026-03-01 00:59")) == utc("2026-03-01 01:00"))
    }

    @Test func aDueTimeIsFiredOnce() throws {
        var machine = try machine()
        let now = try utc("2026-03-01 01:00")
        #expect(machine.step(now: now, open: []).fire == .init(dueAt: now, kind: .clock))
        #expect(machine.step(now: now, open: []) == ScheduleMachine.Step())
        #expect(machine.nextAt == now + 3600)
    }

    @Test func onlyTheLatestMissedTimeIsCaughtUp() throws {
        var machine = try machine()
        let step = machine.step(now: try utc("2026-03-01 04:30"), open: [])
        #expect(step.skips.map(\.dueAt) == (try ["01:00", "02:00", "03:00"].map { try utc("2026-03-01 \($0)") }))
        #expect(step.skips.allSatisfy { $0.reason == "missed: nobody looked before a later time was due" })
        #expect(step.fire?.dueAt == (try utc("2026-03-01 04:00")))
        #expect(step.fire?.reason == "caught up 30 min late")
        #expect(machine.nextAt == (try utc("2026-03-01 05:00")))
    }

    @Test(arguments: [(0, true), (1, false)])
    func theCatchUpWindowIsExact(_ excess: Int, _ fires: Bool) throws {
        var machine = try machine("0 2 * * *", catchUp: 3600)
        let step = machine.step(now: try utc("2026-03-01 03:00") + Double(excess), open: [])
        #expect((step.fire != nil) == fires)
        #expect(
            step.skips.map(\.reason)
                == (fires ? [] : ["missed: nobody looked for 60 min, and the catch-up window is 60 min"]))
    }

    @Test func aPauseSkipsAndSaysWhy() throws {
        var machine = try machine()
        machine.pauseReason = "maintenance"
        let step = machine.step(now: try utc("2026-03-01 02:00"), open: [])
        #expect(step.skips.map(\.reason) == Array(repeating: "the schedule is paused: maintenance", count: 2))
        #expect(step.fire == nil)
        #expect(machine.nextAt == (try utc("2026-03-01 03:00")))
    }

    @Test func skippingNamesTheOpenRun() throws {
        var machine = try machine()
        let step = machine.step(now: try utc("2026-03-01 01:00"), open: [Self.run])
        #expect(step.skips.map(\.reason) == ["run k3f9x2a0 is still open"])
        #expect((step.fire, machine.waiting) == (nil, nil))
    }

    @Test func allAreAllowed() throws {
        var machine = try machine(overlap: .allowAll)
        let now = try utc("2026-03-01 01:00")
        #expect(machine.step(now: now, open: [Self.run]) == .init(fire: .init(dueAt: now, kind: .clock)))
    }

    @Test func othersAreCancelled() throws {
        var machine = try machine(overlap: .cancelOther)
        let fire = machine.step(now: try utc("2026-03-01 01:00"), open: [Self.run, Self.other]).fire
        #expect(fire?.cancelling == [Self.run, Self.other])
        #expect(fire?.reason == "runs k3f9x2a0, k3f9x2a1 are cancelled for it")
        #expect(machine.step(now: try utc("2026-03-01 02:00"), open: []).fire?.cancelling == [])
    }

    @Test func oneWaitsAndOthersAreSkipped() throws {
        var machine = try machine(overlap: .bufferOne)
        let first = try utc("2026-03-01 01:00")
        #expect(machine.step(now: first, open: [Self.run]) == ScheduleMachine.Step())
        #expect(machine.waiting == .init(dueAt: first, kind: .clock))
        #expect(machine.lookAt(now: first) == first + ScheduleMachine.waitingInterval)
        let second = machine.step(now: first + 3600, open: [Self.run])
        #expect(second.skips.map(\.dueAt) == [first + 3600])
        #expect(second.skips.first?.reason.hasPrefix("another time waits already") == true)
        // The run ends: what waits comes first, and what is due then waits for that.
        let third = machine.step(now: first + 7200, open: [])
        #expect(third.fire == .init(dueAt: first, kind: .clock, reason: "waited for the run before it"))
        #expect(machine.lookAt(now: first + 7200) <= first + 7200)
        #expect(machine.step(now: first + 7200, open: [Self.other]) == ScheduleMachine.Step())
        #expect(machine.waiting?.dueAt == first + 7200)
    }

    @Test func whatWaitsIsDroppedByAPauseUnlessAPersonAskedForIt() throws {
        for kind in ScheduleFire.Kind.allCases {
            var machine = try machine(overlap: .bufferOne)
            machine.waiting = .init(dueAt: try utc("2026-03-01 00:00"), kind: kind)
            machine.pauseReason = "maintenance"
            let step = machine.step(now: try utc("2026-03-01 00:45"), open: [])
            #expect(machine.waiting == nil)
            #expect((step.fire == nil) == (kind == .clock))
            #expect(step.skips.count == (kind == .clock ? 1 : 0))
        }
    }

    @Test(arguments: OverlapPolicy.allCases)
    func apersonsWishFollowsThePolicyWhilePaused(_ policy: OverlapPolicy) throws {
        var machine = try machine()
        machine.pauseReason = "maintenance"
        let now = try utc("2026-03-01 00:45")
        #expect(machine.decide(now, .trigger, policy, open: []).fire?.kind == .trigger)
        let step = machine.decide(now, .trigger, policy, open: [Self.run])
        #expect((step.fire != nil) == [.allowAll, .cancelOther].contains(policy))
        #expect((machine.waiting != nil) == (policy == .bufferOne))
        #expect(step.skips.count == (policy == .skip ? 1 : 0))
    }

    /// A year of minutes: bounded work a step, bounded records, and the latest is caught up.
    @Test func aLongAbsenceIsSummedUp() throws {
        var machine = try machine("* * * * *")
        let now = try utc("2026-03-15 00:30")
        var skips: [ScheduleMachine.Step.Skip] = []
        var fires: [Date] = []
        var steps = 0
        while machine.lookAt(now: now) <= now {
            let step = machine.step(now: now, open: [])
            skips += step.skips
            fires += [step.fire?.dueAt].compactMap(\.self)
            steps += 1
        }
        #expect(fires == [now])
        #expect(steps == 3)
        #expect(skips.count <= steps * (ScheduleMachine.recordLimit + 1))
        #expect(skips.map(\.dueAt) == skips.map(\.dueAt).sorted())
        #expect(skips.first?.reason.hasSuffix("; so were 9899 more until 2026-03-07T21:30:00Z") == true, "\(skips[0])")
    }

    @Test func jitterIsAlwaysTheSameAndSpread() throws {
        let machine = try machine("* * * * *", jitter: 50)
        let times = machine.timing.cron.due(after: try utc("2026-03-01"), in: .utc, limit: 1000)
        let waits = times.map { machine.wakeAt($0).timeIntervalSince($0) }
        #expect(waits == times.map { machine.wakeAt($0).timeIntervalSince($0) })
        #expect(waits.allSatisfy { (0.0..<50).contains($0) })
        #expect((20.0...30).contains(waits.reduce(0, +) / 1000))
        // Another schedule has another one.
        let key = ScheduleKey(uuid: UUID())
        #expect(key.jitter(dueAt: times[0], span: 50) != waits[0])
        #expect(key.jitter(dueAt: times[0], span: 0) == 0)
    }

    @Test func jitterDelaysFiringButNotTheDueTime() throws {
        var machine = try machine(jitter: 600)
        let dueAt = try utc("2026-03-01 01:00")
        let wake = machine.wakeAt(dueAt)
        #expect(machine.step(now: wake - 0.001, open: []) == ScheduleMachine.Step())
        #expect(machine.step(now: wake, open: []).fire == .init(dueAt: dueAt, kind: .clock))
    }

    @Test func runIdentifiersAreFunctionsOfScheduleAndTime() throws {
        let (key, time) = (ScheduleKey(uuid: UUID()), try utc("2026-03-01"))
        #expect(key.run(dueAt: time, attempt: 1) == key.run(dueAt: time, attempt: 1))
        #expect(try RunID(key.run(dueAt: time, attempt: 1).text) == key.run(dueAt: time, attempt: 1))
        let others = [
            key.run(dueAt: time, attempt: 2), key.run(dueAt: time + 60, attempt: 1),
            ScheduleKey(uuid: UUID()).run(dueAt: time, attempt: 1), key.run(dueAt: time, attempt: 1),
        ]
        #expect(Set(others).count == 4)
    }
}
