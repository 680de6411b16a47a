/// Code points: what Python's texts are made of.
typealias CodePoints = ArraySlice<Unicode.Scalar>

extension PythonText {
    /// Python's `str.split()`.
    static func words(_ text: some Sequence<Unicode.Scalar>) -> [CodePoints] {
        text.split(whereSeparator: Self.isSpace)
    }

    static func isASCIIDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
}
