/// The cheapest assignment of a matrix's rows to its columns; of several equally cheap ones that of SciPy.
///
/// Shortest augmenting paths after Crouse, "On implementing 2D rectangular assignment algorithms" (2016).
public struct LinearAssignment {
    private let costs: [[Double]]
    private let columnCount: Int
    private var rowPotentials: [Double]
    private var columnPotentials: [Double]
    private var columnOfRow: [Int?]
    private var rowOfColumn: [Int?]

    /// `scipy.optimize.linear_sum_assignment(costs)` for finite costs: pairs in the order of their rows.
    public static func solve(_ costs: [[Double]]) -> [(row: Int, column: Int)] {
        guard let first = costs.first, !first.isEmpty else { return [] }
        if costs.count > first.count {
            let transposed = first.indices.map { column in costs.map { $0[column] } }
            return Self.solve(transposed).map { ($0.column, $0.row) }.sorted { $0.0 < $1.0 }
        }
        var assignment = LinearAssignment(costs)
        for row in costs.indices { assignment.assign(row) }
        return assignment.columnOfRow.enumerated().compactMap { row, column in column.map { (row, $0) } }
    }

    private init(_ costs: [[Double]]) {
        self.costs = costs
        self.columnCount = costs[0].count
        self.rowPotentials = [Double](repeating: 0, count: costs.count)
        self.columnPotentials = [Double](repeating: 0, count: self.columnCount)
        self.columnOfRow = [Int?](repeating: nil, count: costs.count)
        self.rowOfColumn = [Int?](repeating: nil, count: self.columnCount)
    }

    /// Assigns one more row; others may change their columns.
    private mutating func assign(_ newRow: Int) {
        var (row, cost) = (newRow, 0.0)
        var rows: [Int] = []
        var columns: [Int] = []
        var distances = [Double](repeating: .infinity, count: self.columnCount)
        var predecessors = [Int](repeating: newRow, count: self.columnCount)
        var remaining = Array((0..<self.columnCount).reversed())
        while !remaining.isEmpty {
            rows.append(row)
            var (best, lowest) = (0, Double.infinity)
            for (index, column) in remaining.enumerated() {
                let distance = cost + self.costs[row][column] - self.rowPotentials[row] - self.columnPotentials[column]
                if distance < distances[column] {
                    (predecessors[column], distances[column]) = (row, distance)
                }
                // Of equally near columns a free one ends the search.
                if distances[column] < lowest
                    || (distances[column] == lowest && self.rowOfColumn[column] == nil)
                {
                    (best, lowest) = (index, distances[column])
                }
            }
            cost = lowest
            let column = remaining[best]
            columns.append(column)
            remaining.swapAt(best, remaining.count - 1)
            remaining.removeLast()
            guard let owner = self.rowOfColumn[column] else {
                self.updatePotentials(newRow, cost, rows, columns, distances)
                return self.augment(from: column, to: newRow, predecessors)
            }
            row = owner
        }
    }

    private mutating func updatePotentials(
        _ newRow: Int, _ cost: Double, _ rows: [Int], _ columns: [Int], _ distances: [Double]
    ) {
        self.rowPotentials[newRow] += cost
        for row in rows where row != newRow {
            if let column = self.columnOfRow[row] { self.rowPotentials[row] += cost - distances[column] }
        }
        for column in columns { self.columnPotentials[column] -= cost - distances[column] }
    }

    private mutating func augment(from free: Int, to newRow: Int, _ predecessors: [Int]) {
        var column: Int? = free
        while let current = column {
            let row = predecessors[current]
            self.rowOfColumn[current] = row
            column = row == newRow ? nil : self.columnOfRow[row]
            self.columnOfRow[row] = current
        }
    }
}
