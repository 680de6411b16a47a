import Testing

@testable import Postgres

@Suite struct ConnectionStringTests {
    /// Each has a password whose parts must not be shown, and a mistake.
    @Test(arguments: [
        ("postgres://me:geh/eim@db.example/assay", "%2F"), ("postgres://me:geh@eim@db.example/assay", "%40"),
        ("postgres://me:geh%eim@db.example/assay", "%25"), ("postgres://me:geh%00eim@db.example/assay", "%25"),
        ("postgres://me:geh?eim@db.example/assay?ssl_mode=on", "sslmode"),
        ("postgres://me:geh/x?eim@db.example/assay", "%3F"),
        ("postgres://me:geheim@db.example:54a/assay", "65535"),
        ("postgres://me:geheim@db.example/assay?sslmode", "sslmode="),
        ("postgres://me:geheim@db.example/assay?sslmode=a=b", "%3D"),
        ("postgres://me:geheim@db.example/assay?replication=database", "replication"),
        ("postgres://me:geheim@db.example/assay?connect_timeout=3s", "whole seconds"),
        ("mysql://me:geheim@db.example/assay", "postgres://"), ("host=x password=two geheim words", "quotes"),
        ("host=x password='geheim", "quotes"), ("host=x passwort=geheim password=y", "quotes"), ("  ", "empty"),
        ("postgres://me:geheim@db.example:0/assay", "65535"),
    ])
    func mistakesAreSaidInASentenceWithoutThePassword(text: String, advice: String) throws {
        let error = try #require(throws: PostgresError.self) { try PostgresConfiguration(text, environment: .empty) }
        #expect(error.code == .usage)
        #expect(error.description.contains(advice), "\(error)")
        for part in ["geh", "eim"] { #expect(!error.description.contains(part), "\(error)") }
    }

    @Test func anUnknownParameterIsNamed() throws {
        let error = try #require(throws: PostgresError.self) {
            try PostgresConfiguration("postgres://me:geheim@db/assay?sslmode=require&pool_size=3", environment: .empty)
        }
        #expect(error.message.contains("'pool_size'"))
    }

    @Test(arguments: [
        "postgres://me:g%40e%2Fh@db.example/assay", "postgresql://me:g%40e%2Fh@db.example/assay?ssl=true",
        "host=db.example user=me password='g@e/h' dbname=assay",
        "postgres:///assay?host=db.example&user=me&password=g%40e%2Fh",
    ])
    func goodOnesAreTaken(text: String) throws {
        let configuration = try PostgresConfiguration(text, environment: .empty)
        #expect(configuration.settings["password"] == "g@e/h")
        #expect(configuration.settings["host"] == "db.example")
        #expect(configuration.hasPassword)
        #expect(try !PostgresConfiguration("postgres://me@db.example/assay", environment: .empty).hasPassword)
    }

    @Test func everyServerOfAListIsTriedWithItsOwnPort() throws {
        func servers(_ text: String) throws -> [String] {
            try PostgresConfiguration(text, environment: .empty).parameters.map {
                "\($0["host"] ?? ""):\($0["port"] ?? "")"
            }
        }
        #expect(try servers("postgres://a:1,b:2/x") == ["a:1", "b:2"])
        #expect(try servers("host=a,b port=7") == ["a:7", "b:7"])
        #expect(try servers("host=a,b port=1,2,3") == ["a,b:1,2,3"])
        #expect(try servers("host=a") == ["a:"])
        #expect(try servers("host=a,b target_session_attrs=prefer-standby") == ["a,b:"])
    }
}

@Suite struct LibpqEnvironmentTests {
    private let all = LibpqEnvironment([
        "PGHOST": "h", "PGHOSTADDR": "127.0.0.2", "PGPORT": "1", "PGUSER": "u", "PGPASSWORD": "geheim",
        "PGSSLMODE": "require",
        "PGOPTIONS": "-c search_path=x", "PGCLIENTENCODING": "LATIN1", "PGDATESTYLE": "German", "PGTZ": "Nowhere",
        "PGGEQO": "off", "PGTARGETSESSIONATTRS": "any", "PGCHANNELBINDING": "require", "PGCONNECT_TIMEOUT": "7",
    ])

    @Test func fillsGapsButChangesNoMeaning() throws {
        let open = try PostgresConfiguration("dbname=x user=me", environment: self.all)
        #expect(
            open.settings == [
                "dbname": "x", "user": "me", "host": "h", "hostaddr": "127.0.0.2", "port": "1", "password": "geheim",
                "sslmode": "require", "channel_binding": "require", "connect_timeout": "7",
            ])
        #expect(open.connectTimeout == .seconds(7))
        #expect(
            open.parameters.allSatisfy { $0["target_session_attrs"] == "primary" && $0["client_encoding"] == "UTF8" })
        #expect(!"\(open)".contains("geheim"))
        #expect(!open.hasPassword)
        // An address that belongs to another host is not taken.
        let named = try PostgresConfiguration("postgres://db.example/x", environment: self.all)
        #expect(named.settings["host"] == "db.example" && named.settings["hostaddr"] == nil)
        #expect(
            named.usedVariables(of: self.all)
                == ["PGCHANNELBINDING", "PGCONNECT_TIMEOUT", "PGPASSWORD", "PGPORT", "PGSSLMODE", "PGUSER"])
    }

    @Test func aServiceAnswersForItself() throws {
        let environment = LibpqEnvironment(self.all.variables.merging(["PGSERVICE": "s"]) { $1 })
        #expect(
            try PostgresConfiguration("dbname=x", environment: environment).settings
                == ["dbname": "x", "service": "s", "password": "geheim"])
        #expect(
            try PostgresConfiguration("service=mine", environment: environment).settings
                == ["service": "mine", "password": "geheim"])
        #expect(try PostgresConfiguration("host=a", environment: environment).settings["service"] == nil)
    }

    @Test func everyVariableOfLibpqIsKnown() {
        #expect(LibpqEnvironment.keywords["PGHOSTADDR"] == "hostaddr")
        #expect(LibpqEnvironment.keywords["PGSERVICE"] == "service")
        #expect(LibpqEnvironment.keywords["PGPASSFILE"] == "passfile")
        #expect(LibpqEnvironment.keywords.count > 25)
    }
}
