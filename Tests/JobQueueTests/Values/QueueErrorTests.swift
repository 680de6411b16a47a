import Postgres
import Testing

@testable import JobQueue

@Suite struct QueueErrorTests {
    @Test(
        arguments: [
            (PostgresError(.connectionFailed, "refused"), .unavailable),
            (PostgresError(.connectionLost, "x"), .unavailable),
            (PostgresError(.commitUnknown, "x"), .unavailable), (PostgresError(.timedOut, "x"), .unavailable),
            (PostgresError(.cancelled, "x"), .cancelled), (PostgresError(.decoding, "x"), .internalFailure),
            (PostgresError(.server, "x", sqlState: "EW001"), .leaseLost),
            (PostgresError(.server, "x", sqlState: "42P01"), .schema),
            (PostgresError(.server, "x", sqlState: "57P01"), .unavailable),
            (PostgresError(.server, "disk full", sqlState: "53100"), .unavailable),
            (PostgresError(.server, "x", sqlState: "25006"), .unavailable),
            (PostgresError(.server, "x", sqlState: "23514"), .invalid),
            (PostgresError(.server, "x", sqlState: "42601"), .internalFailure),
            (PostgresError(.server, "x"), .internalFailure),
        ] as [(PostgresError, QueueError.Code)])
    func saysWhatADatabaseErrorMeans(error: PostgresError, expected: QueueError.Code) {
        let translated = QueueError(error, task: "claim shards")
        #expect(translated.code == expected)
        #expect(translated.isTransient == (expected == .unavailable))
        #expect(translated.message.hasPrefix("can't claim shards: "))
        #expect(translated.underlying as? PostgresError == error)
    }

    @Test func keepsItsOwnErrorsAndKnowsCancellation() {
        #expect(QueueError(QueueError.notAJobName("x"), task: "y").message == QueueError.notAJobName("x").message)
        #expect(QueueError(CancellationError(), task: "y").code == .cancelled)
    }
}
