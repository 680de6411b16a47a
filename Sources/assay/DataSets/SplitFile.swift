internal import ArgumentParser

/// "test=data/test.jsonl": a split's name and the file with its rows.
struct SplitFile: ExpressibleByArgument, Equatable {
    var split: String
    var path: String

    init?(argument: String) {
        guard let mark = argument.firstIndex(of: "=") else { return nil }
        self.split = String(argument[..<mark])
        self.path = String(argument[argument.index(after: mark)...])
        if self.split.isEmpty || self.path.isEmpty { return nil }
    }
}
