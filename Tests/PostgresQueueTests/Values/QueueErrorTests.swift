import Postgres
import Testing

@testable import JobQueue
@testable import PostgresQueue

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

    /// A statement's name helps only who looks for a mistake of this program's.
    @Test(
        arguments: [
            (PostgresError(.server, "there is no role 'x'", sqlState: "22023"), "there is no role 'x'"),
            (PostgresError(.server, "run k3f9x2a0 is archived", sqlState: "EW002"), "run k3f9x2a0 is archived"),
            (PostgresError(.server, "no", sqlState: "EW003", hint: "ask ada"), "no: ask ada"),
            (PostgresError(.connectionLost, "the server is gone"), "the server is gone"),
            (
                PostgresError(.server, "disk full", sqlState: "53100", hint: "make room"),
                "disk full [SQLSTATE 53100]\n  hint: make room"
            ),
            (
                PostgresError(.server, "syntax error", sqlState: "42601"),
                "statement \"claim_shards\": syntax error (line 1, column 2) [SQLSTATE 42601]"
            ),
        ] as [(PostgresError, String)])
    func namesNoStatementUnlessThisProgramIsAtFault(error: PostgresError, expected: String) {
        var error = error
        error.statement = "claim_shards"
        error.position = "line 1, column 2"
        #expect(QueueError(error, task: "claim shards").message == "can't claim shards: \(expected)")
    }

    @Test func keepsItsOwnErrorsAndKnowsCancellation() {
        #expect(QueueError(QueueError.notAJobName("x"), task: "y").message == QueueError.notAJobName("x").message)
        #expect(QueueError(CancellationError(), task: "y").code == .cancelled)
    }
}
