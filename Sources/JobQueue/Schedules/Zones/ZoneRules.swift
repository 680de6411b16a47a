/// The difference to UTC at every moment in one IANA time zone.
///
/// Read from the system's own tz database, which the operating system keeps up to date: governments change their rules
/// more often than programs are built. FoundationEssentials knows no zones at all without ICU.
public struct ZoneRules: Sendable, Hashable {
    /// Local time is UTC and so many seconds.
    struct Offset: Sendable, Hashable {
        var seconds: Int64
        /// For example "CEST".
        var abbreviation: String
    }

    struct Transition: Sendable, Hashable {
        /// In seconds since 1970 UTC: from here on `offset` is in force.
        var at: Int64
        var offset: Offset
    }

    /// A span of time with one offset.
    struct Segment: Sendable, Hashable {
        /// The first second; `Int64.min` for the span before all transitions.
        var start: Int64
        /// The first second behind it; `Int64.max` when nothing is to come.
        var end: Int64
        var offset: Offset
    }

    /// For example "Europe/Berlin".
    public let name: String
    private let first: Offset
    private let transitions: [Transition]
    private let rule: ZoneRule?

    /// - Parameters:
    ///   - first: What was in force before all transitions.
    ///   - transitions: In the order of time.
    ///   - rule: What is in force after the last transition; nil when that one stays.
    init(name: String, first: Offset, transitions: [Transition], rule: ZoneRule?) {
        self.name = name
        self.first = first
        self.transitions = transitions
        self.rule = rule
    }

    public static let utc = ZoneRules(
        name: "UTC", first: Offset(seconds: 0, abbreviation: "UTC"), transitions: [], rule: nil)

    /// The span that a moment lies in.
    func segment(at second: Int64) -> Segment {
        let next = transitions.partitioningIndex { $0.at > second }
        let start = next > 0 ? transitions[next - 1].at : Int64.min
        let offset = next > 0 ? transitions[next - 1].offset : first
        guard next == transitions.count, let rule else {
            let end = next < transitions.count ? transitions[next].at : Int64.max
            return Segment(start: start, end: end, offset: offset)
        }
        return rule.segment(at: second, from: start)
    }

    /// The latest time that the local clock has shown by `second`, in seconds since 1970 on that clock.
    ///
    /// After clocks were set back it stays, until they show that time again.
    func latestWall(by second: Int64) -> Int64 {
        var segment = segment(at: second - Self.reach)
        var latest = Int64.min
        while true {
            let last = min(second, segment.end - 1)
            latest = max(latest, last + segment.offset.seconds)
            guard segment.end <= second else { return latest }
            segment = self.segment(at: segment.end)
        }
    }

    /// The first moment at which the local clock shows `wall` or is past it.
    func firstMoment(atOrPast wall: Int64) -> Int64 {
        var segment = segment(at: wall - Self.reach)
        while segment.end != Int64.max, wall >= segment.end + segment.offset.seconds {
            segment = self.segment(at: segment.end)
        }
        return max(segment.start, wall - segment.offset.seconds)
    }

    /// Further apart than any two clocks on Earth ever were.
    private static let reach: Int64 = 3 * 86_400
}

extension Array {
    /// The first index whose element fulfils the condition, which must hold for all elements behind it too.
    fileprivate func partitioningIndex(where isBehind: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
