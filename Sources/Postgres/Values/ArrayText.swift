/// The text form of one-dimensional arrays: {1,NULL,"a \"quoted\" one"}.
enum ArrayText {
    static func encode(_ items: [PostgresParameter]) -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "{")]
        for (index, item) in items.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text.append(UInt8(ascii: "\""))
            switch item.form {
            case .bytes:
                text += [UInt8(ascii: "\\"), UInt8(ascii: "\\"), UInt8(ascii: "x")]
                Hex.encode(item.bytes, into: &text)
            case .text:
                for byte in item.bytes {
                    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
                    text.append(byte)
                }
            }
            text.append(UInt8(ascii: "\""))
        }
        text.append(UInt8(ascii: "}"))
        return text
    }

    /// The items' texts, nil for NULL; nil as a whole when this is not a one-dimensional array with lower bound 1.
    static func split(_ text: Span<UInt8>) -> [[UInt8]?]? {
        guard text.count >= 2, text[0] == UInt8(ascii: "{"), text[text.count - 1] == UInt8(ascii: "}") else {
            return nil
        }
        var items: [[UInt8]?] = []
        if text.count == 2 { return items }
        let end = text.count - 1
        var index = 1
        while true {
            var item: [UInt8] = []
            let isQuoted = index < end && text[index] == UInt8(ascii: "\"")
            if isQuoted { index += 1 }
            while index < end {
                let byte = text[index]
                if isQuoted ? byte == UInt8(ascii: "\"") : byte == UInt8(ascii: ",") { break }
                if !isQuoted, byte == UInt8(ascii: "{") || byte == UInt8(ascii: "\"") { return nil }
                if byte == UInt8(ascii: "\\") { index += 1 }
                guard index < end else { return nil }
                item.append(text[index])
                index += 1
            }
            if isQuoted {
                guard index < end else { return nil }
                index += 1
            } else if item.isEmpty {
                return nil
            }
            items.append(!isQuoted && item == Array("NULL".utf8) ? nil : item)
            if index == end { return items }
            guard text[index] == UInt8(ascii: ",") else { return nil }
            index += 1
        }
    }

    /// The element type of the built-in array types that can be decoded; text for those we don't know.
    static func elementType(of type: UInt32) -> UInt32? {
        switch type {
        case 1000: PostgresType.bool
        case 1001: PostgresType.bytea
        case 1005: PostgresType.int2
        case 1007: PostgresType.int4
        case 1016: PostgresType.int8
        case 1021: PostgresType.float4
        case 1022: PostgresType.float8
        case 1115: PostgresType.timestamp
        case 1182: PostgresType.date
        case 1185: PostgresType.timestamptz
        case 1231: PostgresType.numeric
        case 2951: PostgresType.uuid
        default: 25
        }
    }
}
