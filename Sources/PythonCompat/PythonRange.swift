/// Python's `range(start, stop, step)`; also the places that a slice takes.
public struct PythonRange: Sendable, Hashable {
    public let start: Int
    public let stop: Int
    /// Not 0.
    public let step: Int
    /// How many numbers it has.
    public let count: Int

    public init(_ start: Int, _ stop: Int, _ step: Int = 1) {
        self.start = start
        self.stop = stop
        self.step = step
        let (distance, overflow) =
            step > 0 ? stop.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(stop)
        if step > 0 ? stop <= start : stop >= start {
            self.count = 0
        } else if overflow {
            self.count = Int.max
        } else {
            self.count = (distance - 1) / Int(clamping: step.magnitude) + 1
        }
    }

    /// `slice(start, stop, step).indices(length)`: the places of a sequence that a slice takes.
    public init(slicing length: Int, start: Int?, stop: Int?, step: Int) {
        func clamped(_ value: Int?, _ missing: Int) -> Int {
            guard let value else { return missing }
            let (least, most) = step > 0 ? (0, length) : (-1, length - 1)
            let place = value < 0 ? value.addingReportingOverflow(length).partialValue : value
            return value < 0 && place > length ? least : min(max(place, least), most)
        }
        self.init(
            clamped(start, step > 0 ? 0 : length - 1), clamped(stop, step > 0 ? length : -1), step)
    }

    /// All of them; for slices, which are no longer than what they are taken from.
    public var all: [Int] { (0..<self.count).map { self.start + $0 * self.step } }

    /// Which of the numbers it is; `nil` if it is none of them.
    public func place(of number: Int) -> Int? {
        let (distance, overflow) = number.subtractingReportingOverflow(self.start)
        guard !overflow, distance.remainderReportingOverflow(dividingBy: self.step).partialValue == 0 else {
            return nil
        }
        let place = distance.dividedReportingOverflow(by: self.step)
        return !place.overflow && (0..<self.count).contains(place.partialValue) ? place.partialValue : nil
    }

    /// The number at a place.
    @inlinable
    public subscript(_ place: Int) -> Int { self.start &+ place &* self.step }

    /// `repr(range)`.
    public var repr: String {
        self.step == 1 ? "range(\(self.start), \(self.stop))" : "range(\(self.start), \(self.stop), \(self.step))"
    }
}
