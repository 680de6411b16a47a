/// A strict reader of RFC 4180, to test the writer with.
enum CSVReader {
    static func rows(_ text: String) throws -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var field = String.UnicodeScalarView()
        var isQuoted = false
        var scalars = text.unicodeScalars.makeIterator()
        var next = scalars.next()
        while let scalar = next {
            next = scalars.next()
            switch (scalar, isQuoted) {
            case ("\"", true) where next == "\"":
                field.append("\"")
                next = scalars.next()
            case ("\"", true): isQuoted = false
            case ("\"", false) where field.isEmpty: isQuoted = true
            case ("\"", false): throw Fault()
            case (",", false):
                row.append(String(field))
                field = .init()
            case ("\n", false):
                rows.append(row + [String(field)])
                row = []
                field = .init()
            default: field.append(scalar)
            }
        }
        guard row.isEmpty, field.isEmpty, !isQuoted, Set(rows.map(\.count)).count <= 1 else { throw Fault() }
        return rows
    }

    struct Fault: Error {}
}
