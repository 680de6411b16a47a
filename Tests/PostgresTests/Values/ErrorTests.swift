import Testing

@testable import Postgres

@Suite struct ConfigurationTests {
    @Test(arguments: [
        "host=db.example user=ann password=geheim dbname=assay", "postgres://ann:geheim@db.example:5433/assay",
    ])
    func passwordsAreNeverPrinted(text: String) throws {
        let configuration = try PostgresConfiguration(text)
        var dumped = ""
        dump(configuration, to: &dumped)
        for shown in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!shown.contains("geheim"))
            #expect(shown.contains("db.example"))
        }
    }

    @Test(arguments: ["host", "postgres://a:geheim@[::1/x", "password='geheim", "nonsense=1", "a\0b"])
    func badStringsAreErrorsWithoutPasswords(text: String) throws {
        let error = try #require(throws: PostgresError.self) { try PostgresConfiguration(text) }
        #expect(error.code == .usage)
        #expect(!error.description.contains("geheim"))
    }

    @Test func defaultsGiveWayToTheString() throws {
        let configuration = try PostgresConfiguration("keepalives_idle=77 connect_timeout=3")
        let parameters = try #require(configuration.parameters.first)
        #expect(parameters["keepalives_idle"] == "77")
        #expect(parameters["keepalives_interval"] == "5")
        #expect(parameters["keepalives_count"] == "3")
        #expect(parameters["tcp_user_timeout"] == "15000")
        #expect(parameters["target_session_attrs"] == "primary")
        #expect(configuration.connectTimeout == .seconds(3))
    }

    @Test func sessionSettings() throws {
        var configuration = try PostgresConfiguration("dbname=x")
        configuration.statementTimeout = .microseconds(1500)
        configuration.searchPath = ["a", "we\"ird"]
        let settings = Dictionary(uniqueKeysWithValues: configuration.sessionSettings.map { ($0.name, $0.value) })
        #expect(settings["statement_timeout"] == "2")
        #expect(settings["search_path"] == "\"a\", \"we\"\"ird\"")
    }
}

@Suite struct ErrorTests {
    @Test func describesEverythingThatIsKnown() {
        let error = PostgresError(
            .server, "duplicate key", sqlState: "23505", detail: "Key (id)=(1) exists.", hint: "use another",
            constraint: "t_pkey", statement: "insert_t", position: "line 1, column 2")
        #expect(
            error.description == """
                statement "insert_t": duplicate key (line 1, column 2) [SQLSTATE 23505]
                  detail: Key (id)=(1) exists.
                  constraint: t_pkey
                  hint: use another
                """)
        #expect(error.isUniqueViolation)
    }

    @Test(arguments: [
        ("57P01", true, false), ("57P02", true, false), ("57P03", true, false), ("08006", true, false),
        ("40001", false, true), ("40P01", false, true), ("23505", false, false),
    ])
    func classifies(state: String, isConnection: Bool, isSerialization: Bool) {
        let error = PostgresError(.server, "x", sqlState: state)
        #expect(error.isConnectionFailure == isConnection)
        #expect(error.isSerializationFailure == isSerialization)
    }

    @Test func readsTheStateOfAFailedConnection() throws {
        let message = """
            connection to server on socket "/x/.s.PGSQL.5432" failed: FATAL:  3D000: database "nope" does not exist
            LOCATION:  InitPostgres, postinit.c:905
            """
        let error = PostgresError(connecting: message, to: try PostgresConfiguration("dbname=nope"))
        #expect(error.sqlState == "3D000")
        #expect(error.message.hasSuffix("FATAL: database \"nope\" does not exist"))
    }

    @Test(arguments: [("host=/run dbname=x", true), ("dbname=x", true), ("postgres://db.example/x", false)])
    func advisesWhatCanBeDone(text: String, isLocal: Bool) throws {
        let message = "connection failed: Connection refused\n\tIs the server running?"
        let error = PostgresError(connecting: message, to: try PostgresConfiguration(text))
        #expect(error.message.hasSuffix("connection failed: Connection refused; Is the server running?"))
        #expect(error.hint?.contains("assay up") == isLocal)
    }

    @Test func placesInMultilineText() {
        #expect("SELECT\n  ä, x".place(ofCharacter: 1) == "line 1, column 1")
        #expect("SELECT\n  ä, x".place(ofCharacter: 13) == "line 2, column 6")
    }
}
