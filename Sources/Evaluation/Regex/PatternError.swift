/// A regular expression that can't be used, or one that took too many steps on a text.
struct PatternError: Error, Hashable {
    var message: String
    /// The code point's number in the pattern, from 0; `nil` if matching failed.
    var offset: Int?
}
