internal import Statistics

/// Scores as dots on a line, each with its interval: what a drawing of them consists of, in the units of its view box.
struct IntervalPlot {
    struct Row {
        var label: String
        /// Empty where the label says all.
        var detail: String
        var value: Double
        var interval: ConfidenceInterval?
        var text: String
    }

    struct Tick {
        var x: String
        var text: String
    }

    struct Mark {
        var label: String
        var detail: String
        var text: String
        var hasInterval: Bool
        var lower: String
        var upper: String
        var x: String
        var y: String
        var textY: String
    }

    static let width = 720.0
    private static let left = 210.0
    private static let right = 560.0
    private static let rowHeight = 30.0
    private static let top = 6.0

    var caption: String
    var description: String
    var width: String
    var height: String
    var left: String
    var right: String
    var axisY: String
    var tickTextY: String
    var valueX: String
    var top: String
    var ticks: [Tick]
    var marks: [Mark]

    /// - Parameter isShare: Whether the scores are shares, to be drawn on an axis from 0 to 1.
    init(caption: String, rows: [Row], isShare: Bool) {
        let scale = isShare ? PlotScale.share : PlotScale(covering: rows.flatMap { Self.extent(of: $0) })
        func x(_ value: Double) -> String {
            Self.coordinate(Self.left + scale.position(of: value) * (Self.right - Self.left))
        }
        let bottom = Self.top + Self.rowHeight * Double(rows.count)
        self.caption = caption
        self.description = rows.map { "\($0.label) \($0.detail): \($0.text)" }.joined(separator: "; ")
        self.width = Self.coordinate(Self.width)
        self.height = Self.coordinate(bottom + 24)
        self.left = Self.coordinate(Self.left)
        self.right = Self.coordinate(Self.right)
        self.top = Self.coordinate(Self.top)
        self.axisY = Self.coordinate(bottom)
        self.tickTextY = Self.coordinate(bottom + 17)
        self.valueX = Self.coordinate(Self.right + 20)
        self.ticks = scale.ticks.map { Tick(x: x($0), text: NumberText.fixed($0, decimals: scale.decimals)) }
        self.marks = rows.enumerated().map { number, row in
            let y = Self.top + Self.rowHeight * (Double(number) + 0.5)
            return Mark(
                label: Self.short(row.label, limit: 26), detail: Self.short(row.detail, limit: 26), text: row.text,
                hasInterval: row.interval != nil, lower: x(row.interval?.lower ?? row.value),
                upper: x(row.interval?.upper ?? row.value), x: x(row.value), y: Self.coordinate(y),
                textY: Self.coordinate(y + 4.5))
        }
    }

    private static func extent(of row: Row) -> [Double] {
        [row.value, row.interval?.lower ?? row.value, row.interval?.upper ?? row.value]
    }

    private static func coordinate(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths.isMultiple(of: 10) ? String(tenths / 10) : "\(tenths / 10).\(tenths.magnitude % 10)"
    }

    private static func short(_ text: String, limit: Int) -> String {
        text.count > limit ? text.prefix(limit - 1) + "…" : text
    }
}
