internal import Statistics

/// Scores as dots on a line, each with its interval: what a drawing of them consists of, in the units of its view box.
struct IntervalPlot {
    struct Row {
        var label: String
        var value: Double
        var interval: ConfidenceInterval?
        var texts: ScoreTexts
    }

    /// Rows that belong together, below a title if there is one.
    struct Section {
        var title: String?
        var rows: [Row]
    }

    struct Tick {
        var x: String
        var text: String
    }

    struct Heading {
        var title: String
        var titleY: String
    }

    struct Mark {
        var label: String
        var score: String
        var hasInterval: Bool
        var lower: String
        var upper: String
        var x: String
        var y: String
        var textY: String
        /// The standard error with its sign; empty if there is none.
        var spread: String
    }

    private static let width = 760.0
    private static let left = 250.0
    private static let right = 600.0
    private static let rowHeight = 28.0
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
    var headings: [Heading] = []
    var marks: [Mark] = []

    /// - Parameter isShare: Whether the scores are shares, to be drawn on an axis from 0 to 1.
    init(caption: String, sections: [Section], isShare: Bool) {
        let rows = sections.flatMap(\.rows)
        let scale = isShare ? PlotScale.share : PlotScale(covering: rows.flatMap { Self.extent(of: $0) })
        func x(_ value: Double) -> String {
            Self.coordinate(Self.left + scale.position(of: value) * (Self.right - Self.left))
        }
        var y = Self.top
        for section in sections {
            if let title = section.title {
                y += self.headings.isEmpty ? 0 : 8
                self.headings.append(
                    .init(title: Self.short(title), titleY: Self.coordinate(y + Self.rowHeight / 2 + 4.5)))
                y += Self.rowHeight
            }
            for row in section.rows {
                let middle = y + Self.rowHeight / 2
                self.marks.append(
                    .init(
                        label: Self.short(row.label), score: row.texts.value, hasInterval: row.interval != nil,
                        lower: x(row.interval?.lower ?? row.value), upper: x(row.interval?.upper ?? row.value),
                        x: x(row.value), y: Self.coordinate(middle), textY: Self.coordinate(middle + 4.5),
                        spread: row.texts.spread))
                y += Self.rowHeight
            }
        }
        self.caption = caption
        self.description = sections.flatMap { section in
            section.rows.map {
                "\(section.title.map { "\($0), " } ?? "")\($0.label): \($0.texts.value) \($0.texts.spread)"
            }
        }.joined(separator: "; ")
        self.width = Self.coordinate(Self.width)
        self.height = Self.coordinate(y + 26)
        self.left = Self.coordinate(Self.left)
        self.right = Self.coordinate(Self.right)
        self.top = Self.coordinate(Self.top)
        self.axisY = Self.coordinate(y + 2)
        self.tickTextY = Self.coordinate(y + 19)
        self.valueX = Self.coordinate(Self.right + 18)
        self.ticks = scale.ticks.map { Tick(x: x($0), text: NumberText.fixed($0, decimals: scale.decimals)) }
    }

    private static func extent(of row: Row) -> [Double] {
        [row.value, row.interval?.lower ?? row.value, row.interval?.upper ?? row.value]
    }

    private static func coordinate(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths.isMultiple(of: 10) ? String(tenths / 10) : "\(tenths / 10).\(tenths.magnitude % 10)"
    }

    /// As much of a label as there is room for.
    private static func short(_ text: String) -> String {
        text.count > 30 ? text.prefix(29) + "…" : text
    }
}
