internal import CLanguageData

/// The tables in CLanguageData: lines of fields with tabs between them.
enum LanguageData {
    static let profiles = Self.lines(clanguagedata_profiles)
    static let characters = Self.lines(clanguagedata_characters)
    static let punkt = Self.lines(clanguagedata_punkt)

    private static func lines(_ table: (UnsafeMutablePointer<Int>?) -> UnsafePointer<UInt8>?) -> [[String]] {
        var length = 0
        guard let bytes = table(&length) else { return [] }
        let lines = UnsafeBufferPointer(start: bytes, count: length).split(separator: UInt8(ascii: "\n"))
        return lines.map { line in
            line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
