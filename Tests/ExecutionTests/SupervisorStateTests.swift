import Testing
import UVEventLoop
import WorkerLogic

@testable import Execution

@Suite struct SupervisorStateTests {
    private func started(_ children: Int) -> SupervisorState {
        var state = SupervisorState(children: children)
        let actions = state.begin()
        #expect(actions == (0..<children).map { .start($0) })
        return state
    }

    /// Expectations can't change a value.
    private func expect(
        _ actions: [SupervisorState.Action], _ expected: [SupervisorState.Action] = [],
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(actions == expected, sourceLocation: location)
    }

    @Test func aWorkerThatLeavesInOrderIsNotStartedAgain() {
        var state = self.started(2)
        self.expect(state.ended(0, .exited(status: 0), after: .seconds(1)))
        #expect(!state.isOver)
        self.expect(state.ended(1, .exited(status: 0), after: .seconds(1)))
        #expect(state.isOver)
        #expect(state.failures == 0)
    }

    @Test func aCrashIsFollowedByALongerPauseEachTimeUntilItIsGivenUp() {
        var state = self.started(2)
        for bound in [500, 1_000, 2_000, 4_000] {
            self.expect(
                state.ended(0, .signalled(11), after: .seconds(1)), [.startLater(0, within: .milliseconds(bound))])
            self.expect(state.pauseEnded(0), [.start(0)])
        }
        self.expect(state.ended(0, nil, after: .zero), [.giveUp(0, because: .crashes(5))])
        self.expect(state.pauseEnded(0))
        // The other one goes on.
        #expect(!state.isOver)
        self.expect(state.ended(1, .exited(status: 0), after: .seconds(100)))
        #expect(state.isOver)
        #expect(state.failures == 1)
    }

    @Test func aWorkerThatWorkedForAWhileIsAlwaysStartedAgainSoon() {
        var state = self.started(1)
        for _ in 0..<100 {
            self.expect(
                state.ended(0, .signalled(9), after: .seconds(60)), [.startLater(0, within: .milliseconds(500))])
            self.expect(state.pauseEnded(0), [.start(0)])
        }
        #expect(!state.isOver)
    }

    /// However often it hangs, and however soon.
    @Test func whoEndedBecauseItsWorkHungIsStartedAgainAfterAWhile() {
        var state = self.started(1)
        for _ in 0..<20 {
            self.expect(
                state.ended(0, .exited(status: WorkerExit.stalled), after: .seconds(1)),
                [.startLater(0, within: .seconds(60))])
            self.expect(state.pauseEnded(0), [.start(0)])
        }
        #expect(!state.isOver)
    }

    @Test func aWrongCommandLineIsGivenUpAtOnce() {
        var state = self.started(1)
        self.expect(state.ended(0, .exited(status: 2), after: .seconds(1)), [.giveUp(0, because: .usage)])
        #expect(state.isOver)
        #expect(state.failures == 1)
    }

    @Test func theFirstSignalDrainsAndTheSecondAbandons() {
        var state = self.started(3)
        _ = state.ended(2, .signalled(11), after: .seconds(1))
        self.expect(state.stopRequested(), [.drain(0), .drain(1)])
        // The pause of the third one ends, but nothing is started any more.
        self.expect(state.pauseEnded(2))
        self.expect(state.ended(0, .exited(status: 0), after: .seconds(1)))
        self.expect(state.stopRequested(), [.abandon(1)])
        self.expect(state.abandonOverdue(), [.kill(1)])
        self.expect(state.stopRequested(), [.kill(1)])
        self.expect(state.ended(1, .exited(status: 0), after: .seconds(1)))
        #expect(state.isOver)
        #expect(state.failures == 0)
    }

    @Test func aCrashWhileDrainingCountsButIsNotRepeated() {
        var state = self.started(3)
        _ = state.stopRequested()
        self.expect(state.ended(0, .signalled(11), after: .seconds(1)))
        self.expect(state.ended(1, .exited(status: 1), after: .seconds(1)))
        // It had not begun to listen for signals.
        self.expect(state.ended(2, .signalled(15), after: .zero))
        #expect(state.isOver)
        #expect(state.failures == 2)
    }
}

@Suite struct StopRequestsTests {
    @Test func theSecondSignalAbandons() {
        var requests = StopRequests(isSupervised: false)
        let asked = [2, 15].map { requests.receive($0) }
        #expect(asked == [.drain, .abandon])
    }

    @Test func aSupervisedWorkerTakesARepeatedSignalForTheSame() {
        var requests = StopRequests(isSupervised: true)
        let asked = [15, 15, 3].map { requests.receive($0) }
        #expect(asked == [.drain, nil, .abandon])
    }
}

@Suite struct DeviceAssignmentTests {
    @Test func oneForEachGPU() {
        #expect(
            DeviceAssignment.all(gpus: 2, visible: nil) == [
                DeviceAssignment(name: "cuda:0", visibleDevices: "0"),
                DeviceAssignment(name: "cuda:1", visibleDevices: "1"),
            ])
    }

    @Test func whatTheBatchSystemGaveIsKept() {
        #expect(DeviceAssignment.all(gpus: 2, visible: "3, GPU-5a").map(\.visibleDevices) == ["3", "GPU-5a"])
        #expect(DeviceAssignment.all(gpus: 1, visible: "3").map(\.name) == ["cuda:3"])
    }

    @Test func withoutAGPUThereIsTheProcessor() {
        #expect(DeviceAssignment.all(gpus: 0, visible: "").map(\.name) == ["cpu"])
        #expect(DeviceAssignment.all(gpus: 0, visible: nil).map(\.visibleDevices) == [nil])
    }
}
