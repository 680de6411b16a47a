/// The object identifiers of built-in types, from PostgreSQL's pg_type.dat.
enum PostgresType {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let date: UInt32 = 1082
    static let timestamp: UInt32 = 1114
    static let timestamptz: UInt32 = 1184
    static let numeric: UInt32 = 1700
    static let uuid: UInt32 = 2950
    static let xid8: UInt32 = 5069

    static func isInteger(_ type: UInt32) -> Bool {
        // Sums of int8 are numeric; their text is an integer's.
        [Self.int2, Self.int4, Self.int8, Self.oid, Self.numeric, Self.xid8].contains(type)
    }

    static func isNumber(_ type: UInt32) -> Bool {
        type == Self.float8 || type == Self.float4 || Self.isInteger(type)
    }

    /// The name for an error message.
    static func name(_ type: UInt32) -> String {
        switch type {
        case Self.bool: "boolean"
        case Self.bytea: "bytea"
        case Self.int2: "smallint"
        case Self.int4: "integer"
        case Self.int8: "bigint"
        case Self.float4: "real"
        case Self.float8: "double precision"
        case Self.numeric: "numeric"
        case 25: "text"
        case 1043: "character varying"
        case Self.date: "date"
        case Self.timestamp: "timestamp"
        case Self.timestamptz: "timestamptz"
        case Self.uuid: "uuid"
        case Self.json: "json"
        case 3802: "jsonb"
        case 1005: "smallint[]"
        case 1007: "integer[]"
        case 1016: "bigint[]"
        case 1009: "text[]"
        case 1001: "bytea[]"
        case 1021: "real[]"
        case 1022: "double precision[]"
        case 2951: "uuid[]"
        default: "the type with oid \(type)"
        }
    }
}
