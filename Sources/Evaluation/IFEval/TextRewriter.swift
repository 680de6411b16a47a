internal import PythonCompat

/// A text to which regular expressions' substitutions are applied, written as code.
struct TextRewriter {
    private(set) var text: [Unicode.Scalar]

    init(_ text: some Sequence<Unicode.Scalar>) { self.text = Array(text) }

    /// Python's `re.sub`.
    ///
    /// - Parameters:
    ///   - mark: Which code points a match must have, before all others that decide about it.
    ///   - match: Gets what begins with a mark, and the code point before it unless that is part of another match or
    ///     there is none. It appends what is written in a match's place and gives where that ends; or it gives `nil`.
    mutating func substitute(
        _ mark: (Unicode.Scalar) -> Bool,
        _ match: (_ rest: CodePoints, _ before: Unicode.Scalar?, _ result: inout [Unicode.Scalar]) -> Int?
    ) {
        guard var position = self.text.firstIndex(where: mark) else { return }
        var result = Array(self.text[..<position])
        result.reserveCapacity(self.text.count + 16)
        var matched = 0
        while position < self.text.count {
            let before = position > matched ? self.text[position - 1] : nil
            if mark(self.text[position]), let end = match(self.text[position...], before, &result) {
                position = end
                matched = end
            } else {
                result.append(self.text[position])
                position += 1
            }
        }
        self.text = result
    }

    /// Puts spaces around each run of code points of a kind, of at least `least`.
    mutating func pad(least: Int = 1, most: Int = .max, _ isMember: (Unicode.Scalar) -> Bool) {
        self.substitute(isMember) { rest, _, result in
            let run = rest.prefix(most).prefix(while: isMember)
            let isLong = run.count >= least
            if isLong { result.append(" ") }
            result.append(contentsOf: run)
            if isLong { result.append(" ") }
            return run.endIndex
        }
    }

    /// Writes another text in the place of each `old`.
    mutating func replace(_ old: String, with new: String) {
        let (old, new) = (Array(old.unicodeScalars), Array(new.unicodeScalars))
        self.substitute({ $0 == old.first }) { rest, _, result in
            guard rest.starts(with: old) else { return nil }
            result.append(contentsOf: new)
            return rest.startIndex + old.count
        }
    }

    /// Puts a space before and behind the text.
    mutating func surroundWithSpaces() { self.text = [" "] + self.text + [" "] }
}
