import AssayRuntime
import Logging
import Synchronization
import Testing

/// How the services of a process end.
@Suite(.timeLimit(.minutes(1))) struct ProcessServicesTests {
    /// What happened, in order; tests wait for it.
    private final class Events: Sendable {
        private let events = Mutex<[String]>([])

        var all: [String] { self.events.withLock { $0 } }

        func add(_ event: String) { self.events.withLock { $0.append(event) } }

        func contains(_ event: String) async throws {
            while !self.all.contains(event) { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    private struct RecordingHandler: LogHandler {
        let events: Events
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let names = (event.metadata?["running"] ?? event.metadata?["service"]).map { " \($0)" } ?? ""
            self.events.add("\(event.message)\(names)")
        }
    }

    private struct Failure: Error, Equatable {}

    /// Waits until its task is cancelled.
    private static func untilCancelled() async {
        for await _ in AsyncStream<Void>.makeStream().stream {}
    }

    /// With two services that say when they begin and end.
    private static func services(_ events: Events, deadline: Duration = .seconds(30)) -> ProcessServices {
        let services = ProcessServices(
            deadline: deadline, logger: Logger(label: "test") { _ in RecordingHandler(events: events) })
        for name in ["first", "second"] {
            services.add(name) {
                events.add("\(name) begins")
                await Self.untilCancelled()
                events.add("\(name) ends")
            }
        }
        return services
    }

    @Test func othersEndAfterTheMainOneInTheOppositeOrder() async throws {
        let events = Events()
        let services = Self.services(events)
        let answer = try await services.run("main", finish: { events.add("asked to finish") }) {
            try await events.contains("first begins")
            try await events.contains("second begins")
            #expect(services.running == ["first", "second", "main"])
            events.add("main ends")
            return 7
        }
        #expect(answer == 7 && services.running.isEmpty)
        #expect(events.all.suffix(3) == ["main ends", "second ends", "first ends"])
        // Nobody had to ask it.
        #expect(!events.all.contains("asked to finish"))
    }

    @Test func whatIsDrainedFinishesWithTheOthersBeside() async throws {
        let events = Events()
        let services = Self.services(events)
        let (asked, ask) = AsyncStream<Void>.makeStream()
        try await services.run("main", finish: { ask.finish() }) {
            try await events.contains("first begins")
            try await events.contains("second begins")
            services.drain()
            services.drain()
            for await _ in asked {}
            // The shard in hand takes a while.
            try await Task.sleep(for: .milliseconds(50))
            #expect(!Task.isCancelled && services.running == ["first", "second", "main"])
            events.add("main ends")
        }
        #expect(events.all.suffix(3) == ["main ends", "second ends", "first ends"])
    }

    @Test func aDrainBeforeTheBeginningIsRemembered() async throws {
        let events = Events()
        let services = Self.services(events)
        services.drain()
        let (asked, ask) = AsyncStream<Void>.makeStream()
        let answer = try await services.run("main", finish: { ask.finish() }) {
            for await _ in asked {}
            return "drained"
        }
        #expect(answer == "drained" && services.running.isEmpty)
    }

    @Test(arguments: [true, false]) func whatIsAbandonedIsCancelledAtOnce(_ isDraining: Bool) async throws {
        let events = Events()
        let services = Self.services(events)
        let answer = try await services.run("main", finish: {}) {
            try await events.contains("first begins")
            try await events.contains("second begins")
            if isDraining { services.drain() }
            services.abandon()
            await Self.untilCancelled()
            // Others go on until it has given back what it had.
            #expect(Task.isCancelled && services.running == ["first", "second", "main"])
            events.add("main ends")
            return "abandoned"
        }
        #expect(answer == "abandoned")
        #expect(events.all.suffix(3) == ["main ends", "second ends", "first ends"])
    }

    @Test func anErrorOfTheMainServiceIsTheProcesss() async throws {
        let events = Events()
        let services = Self.services(events)
        await #expect(throws: Failure()) {
            try await services.run("main", finish: {}) {
                try await events.contains("first begins")
                try await events.contains("second begins")
                throw Failure()
            }
        }
        #expect(events.all.suffix(2) == ["second ends", "first ends"])
    }

    @Test func aServiceThatFailsOrEndsTakesNoOtherWithIt() async throws {
        let events = Events()
        let services = Self.services(events)
        services.add("failing") { throw Failure() }
        services.add("short") { events.add("short ends") }
        try await services.run("main", finish: {}) {
            try await events.contains("a service of this process failed failing")
            try await events.contains("short ends")
            try await events.contains("first begins")
            try await events.contains("second begins")
            #expect(!Task.isCancelled)
            events.add("main ends")
        }
        #expect(events.all.suffix(3) == ["main ends", "second ends", "first ends"])
    }

    @Test func whatDoesNotEndInTimeIsNamedAndLeft() async throws {
        let events = Events()
        let services = Self.services(events, deadline: .milliseconds(20))
        let (hanging, release) = AsyncStream<Void>.makeStream()
        services.add("hanging") {
            events.add("hanging begins")
            // What blocks a thread does not hear that it is cancelled.
            await Task.detached { for await _ in hanging {} }.value
            events.add("hanging ends")
        }
        let answer = try await services.run("main", finish: {}) {
            for name in ["first", "second", "hanging"] { try await events.contains("\(name) begins") }
            return 7
        }
        #expect(answer == 7)
        let warning = events.all.first { $0.hasPrefix("services of this process did not end in time") }
        // The others had to wait for it, and are told to end now.
        #expect(warning?.hasSuffix(" first, second, hanging") == true, "\(events.all)")
        #expect(!events.all.contains("hanging ends"))
        release.finish()
        try await events.contains("hanging ends")
        try await events.contains("first ends")
    }
}
