/// The costs of editing the first words of a hypothesis into the first words of a reference, near the diagonal.
struct EditMatrix {
    /// Columns to each side of the diagonal, at least.
    private static let minimumReach = 25
    private static let infinity = Int32.max / 2

    private let reference: [UInt32]
    /// The columns of each row that are computed, never further left than a row before; the others cost too much.
    private let windows: [Range<Int>]
    /// Where each row's window starts in `costs`.
    private let offsets: [Int]
    private var costs: [Int32]

    /// `rows`: the words of the hypothesis, at least one.
    init(rows: Int, reference: [UInt32]) {
        self.reference = reference
        let columns = reference.count + 1
        let slope = Double(reference.count) / Double(rows)
        let minimum = Double(Self.minimumReach)
        // Wider where the diagonal is so steep that the windows would not meet.
        let reach = minimum < slope / 2 ? Int((slope / 2 + minimum).rounded(.up)) : Self.minimumReach
        self.windows = (0...rows).map { row in
            guard row > 0 else { return 0..<columns }
            let diagonal = Int((Double(row) * slope).rounded(.down))
            return max(0, diagonal - reach)..<(row == rows ? columns : min(columns, diagonal + reach))
        }
        var size = 0
        self.offsets = self.windows.map { window in
            defer { size += window.count }
            return size
        }
        self.costs = [Int32](repeating: 0, count: size)
        for column in 0..<columns { self.costs[column] = Int32(truncatingIfNeeded: column) }
    }

    /// From the whole hypothesis to the whole reference.
    var distance: Int { Int(self.costs[self.costs.count - 1]) }

    private subscript(row: Int, column: Int) -> Int32 {
        let window = self.windows[row]
        return window.contains(column) ? self.costs[self.offsets[row] + column - window.lowerBound] : Self.infinity
    }

    /// Takes a row from a matrix of the same size.
    mutating func copyRow(_ row: Int, of other: EditMatrix) {
        let range = self.offsets[row]..<self.offsets[row] + self.windows[row].count
        self.costs.replaceSubrange(range, with: other.costs[range])
    }

    /// Computes the rows after `first`, which is right already.
    mutating func fill(_ hypothesis: [UInt32], behind first: Int) {
        for row in first + 1..<self.windows.count {
            let word = hypothesis[row - 1]
            let window = self.windows[row]
            let offset = self.offsets[row] - window.lowerBound
            let above = self.offsets[row - 1] - self.windows[row - 1].lowerBound
            let end = self.windows[row - 1].upperBound
            var left = Self.infinity
            var diagonal = self[row - 1, window.lowerBound - 1]
            // Without a check at each of the inner loop's steps, which is where all the time goes.
            self.costs.withUnsafeMutableBufferPointer { costs in
                for column in window {
                    let up = column < end ? costs[above + column] : Self.infinity
                    var cost = min(up, left) + 1
                    if column > 0 { cost = min(cost, diagonal + (word == self.reference[column - 1] ? 0 : 1)) }
                    left = min(cost, Self.infinity)
                    diagonal = up
                    costs[offset + column] = left
                }
            }
        }
    }

    /// Goes back from the end: a match or a substitution before a deletion before an insertion.
    func alignment(of hypothesis: [UInt32]) -> Alignment {
        var row = hypothesis.count
        var column = self.reference.count
        var alignment = Alignment(hypothesisLength: row, referenceLength: column)
        while row > 0 || column > 0 {
            let cost = self[row, column]
            let isSame = row > 0 && column > 0 && hypothesis[row - 1] == self.reference[column - 1]
            if row > 0, column > 0, self[row - 1, column - 1] + (isSame ? 0 : 1) == cost {
                alignment.place(column - 1, at: row - 1)
                if isSame { alignment.match(column - 1, with: row - 1) }
                row -= 1
                column -= 1
            } else if column == 0 || (row > 0 && self[row - 1, column] + 1 == cost) {
                row -= 1
            } else {
                alignment.place(column - 1, at: row - 1)
                column -= 1
            }
        }
        return alignment
    }
}
