internal import PythonCompat

/// Numbers for words, so that they compare fast and by code points, not by canonical equivalence as String does.
struct Vocabulary {
    private var numbers: [CodePoints: UInt32] = [:]

    /// The words' numbers; a new word gets the next one.
    mutating func numbers(of words: [CodePoints]) -> [UInt32] {
        words.map { word in
            let next = UInt32(truncatingIfNeeded: self.numbers.count)
            if let number = self.numbers[word] { return number }
            self.numbers[word] = next
            return next
        }
    }
}
