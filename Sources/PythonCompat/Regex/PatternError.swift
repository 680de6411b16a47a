/// A regular expression that can't be used, or one that took too many steps on a text.
public struct PatternError: Error, Hashable {
    public var message: String
    /// The code point's number in the pattern, from 0; `nil` if matching failed.
    public var offset: Int?
}
