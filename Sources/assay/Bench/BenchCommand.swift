internal import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure this installation.",
        subcommands: [
            BenchPromptsCommand.self, BenchQueueCommand.self, BenchDayCommand.self, BenchScaleCommand.self,
            BenchStoreCommand.self, BenchGenerateCommand.self, BenchInvarianceCommand.self,
        ])
}
