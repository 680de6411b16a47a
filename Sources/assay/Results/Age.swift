internal import ArgumentParser

/// A length of time as a user types it: "90s", "15m", "1h", "2d".
struct Age: ExpressibleByArgument {
    let seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let number = Int(argument.dropLast()),
            (0...36_500).contains(number / (86_400 / unit)), number >= 0
        else { return nil }
        self.seconds = number * unit
    }

    var duration: Duration { .seconds(self.seconds) }

    var defaultValueDescription: String {
        self.seconds > 0 && self.seconds.isMultiple(of: 3600) ? "\(self.seconds / 3600)h" : "\(self.seconds)s"
    }
}
