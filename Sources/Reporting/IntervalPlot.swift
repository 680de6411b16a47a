internal import Glibc
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

/// A linear axis with ticks at round numbers.
struct PlotScale {
    let lower: Double
    let upper: Double
    let ticks: [Double]
    /// As many as the ticks need.
    let decimals: Int

    /// The axis of shares.
    static let share = PlotScale(lower: 0, upper: 1, ticks: [0, 0.25, 0.5, 0.75, 1], decimals: 2)

    private init(lower: Double, upper: Double, ticks: [Double], decimals: Int) {
        self.lower = lower
        self.upper = upper
        self.ticks = ticks
        self.decimals = decimals
    }

    /// An axis with room for all of `values`, which are finite.
    init(covering values: [Double]) {
        let smallest = values.min() ?? 0
        let largest = values.max() ?? 1
        // Scores without a spread still need an axis of some length.
        let spread = largest - smallest
        let margin = spread > 0 ? spread * 0.12 : max(smallest.magnitude * 0.1, 0.1)
        let (low, high) = (smallest - margin, largest + margin)
        guard (high - low).isFinite, high - low > 0 else {
            self.init(lower: smallest, upper: largest, ticks: [], decimals: 0)
            return
        }
        let step = Self.roundStep(for: (high - low) / 4)
        var ticks: [Double] = []
        var number = (low / step).rounded(.up)
        while number * step <= high, ticks.count < 12 {
            ticks.append(number * step)
            number += 1
        }
        self.init(lower: low, upper: high, ticks: ticks, decimals: max(0, -Int(log10(step).rounded(.down))))
    }

    /// Where `value` stands, 0 at the lower end of the axis and 1 at the upper.
    func position(of value: Double) -> Double {
        guard self.upper > self.lower else { return 0.5 }
        return min(1, max(0, (value - self.lower) / (self.upper - self.lower)))
    }

    /// The smallest of 1, 2, 5 times a power of ten that is at least `length`.
    private static func roundStep(for length: Double) -> Double {
        let power = pow(10, log10(length).rounded(.down))
        return ([1, 2, 5].first { $0 * power >= length } ?? 10) * power
    }
}
