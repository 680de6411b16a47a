internal import PythonCompat

/// Numbers in English words as the Python package word2number reads them, up to billions and without decimals.
public enum EnglishNumber {
    private static let values: [String: Int] = [
        "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
        "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
        "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
        "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1000,
        "million": 1_000_000, "billion": 1_000_000_000,
    ]

    /// `word_to_num(text)` for text in lower case; `nil` where that stops with an error.
    ///
    /// Other words don't count.
    public static func value(of text: String) -> Int? {
        let numbers = PythonText.split(text).compactMap { Self.values[$0] }
        if numbers.count <= 1 { return numbers.first }
        var sum = 0
        // Where the numbers behind each scale start.
        var starts: [Int] = []
        for scale in [1_000_000_000, 1_000_000, 1000] {
            let start = starts.last ?? 0
            guard let place = numbers[start...].firstIndex(of: scale) else { continue }
            // A smaller scale before a larger one is an error, as is one that is there twice.
            let before = numbers[start..<place]
            guard before.allSatisfy({ $0 < 1000 }), let count = Self.small(before) else { return nil }
            sum += count * scale
            starts.append(place + 1)
        }
        guard numbers[(starts.last ?? 0)...].allSatisfy({ $0 < 1000 }) else { return nil }
        if starts.isEmpty { return Self.small(numbers[...]) }
        // If the last scale ends the text, word2number counts it once more with what stands behind the one before.
        guard let start = starts.last(where: { $0 < numbers.count }) else { return sum }
        return Self.small(numbers[start...]).map { sum + $0 }
    }

    /// `number_formation`: what stands before a scale or at the end; of five and more words the first.
    private static func small(_ numbers: ArraySlice<Int>) -> Int? {
        let numbers = Array(numbers)
        switch numbers.count {
        case 0: return nil
        case 2: return numbers.contains(100) ? numbers[0] * numbers[1] : numbers[0] + numbers[1]
        case 3: return numbers[0] * numbers[1] + numbers[2]
        case 4: return numbers[0] * numbers[1] + numbers[2] + numbers[3]
        default: return numbers[0]
        }
    }
}
