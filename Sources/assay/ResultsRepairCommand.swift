internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import JobQueue
internal import Maintenance
internal import PostgresQueue
internal import ResultStore
internal import TerminalText

struct ResultsRepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Find results whose files are lost or damaged, and have just these computed again.",
        discussion: """
            Reads every file of the run. What is not as published counts no more: its row is kept apart (`assay logs` shows
            it), and workers compute the shard again, under another name. Until that is done the run can't be reported on.
            An archived run is brought back first. Files that can't be read at all are left alone.
            Example:  assay results repair k3f9 --dry-run
            """)

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Flag(help: "Only show what is lost or damaged.")
    var dryRun = false

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var dryRun: Bool
        /// Results that were looked at.
        var checked: Int
        var damaged: [ResultRepair.Damage]
        /// Results that count no more.
        var withdrawn: Int
        /// What stands in the way of computing them again.
        var notes: [String]
    }

    func run() async throws {
        let report = try await Session.with(self.options) { session in
            let store = try await session.store(.read)
            let selection = try await RunSelection(self.id, in: session.queue)
            return try await ResultRepair(selection, queue: session.queue, store: store)
                .perform(user: session.userName, dryRun: self.dryRun)
        }
        let answer = Answer(
            dryRun: self.dryRun, checked: report.checked, damaged: report.damaged, withdrawn: report.withdrawn,
            notes: report.notes.map(\.text))
        if self.options.json { try Output.json(answer) } else { self.show(answer) }
        let uncertain = answer.damaged.count { !$0.isCertain }
        guard uncertain == 0 else {
            throw UserError(
                "\(Format.counted(uncertain, "file")) can't be read, which does not prove that they are damaged",
                hint: "see to the store's permissions and its disk, then repeat the command")
        }
    }

    private func show(_ answer: Answer) {
        for damage in answer.damaged { Output.line("\(damage.path): \(damage.reason)") }
        for note in answer.notes { Output.note("\(note)") }
        let what = "\(answer.damaged.count) of \(Format.counted(answer.checked, "result")) not as published"
        if answer.damaged.isEmpty {
            Output.line("\(Format.counted(answer.checked, "result")) as published")
        } else if self.dryRun {
            Output.line("\(what); nothing was changed")
        } else {
            Output.line("\(what); \(answer.withdrawn) to be computed again: `assay watch \(self.id)`")
        }
    }
}

extension ResultRepair.Note {
    /// With what to do about it, in the words of the command line.
    fileprivate var text: String {
        switch self {
        case .wasArchived(let run): "run \(run) was archived and is back"
        case .isCancelled(let job): "job \(job) was cancelled: have it computed again with `assay retry \(job)`"
        case .isHeld(let job): "job \(job) is held: let it go on with `assay release \(job)`"
        case .damagedDataSet(let sha256, let job, let reason):
            "data set \(sha256.prefix(12)) of job \(job) is not as imported (\(reason)); move a damaged file "
                + "away, then `assay submit --dry-run`, or the same `assay dataset add` again, puts it back"
        }
    }
}
