internal import PythonCompat

/// Which examples lm-eval's default sampler puts before each row.
///
/// One random stream serves all rows of a task in their order, so what a row gets depends on the rows before it; a rank of
/// lm-eval starts a stream of its own, and these are the draws of a single one.
struct FewShotDraws: Sendable {
    /// What `--seed` of lm-eval gives to few-shot sampling.
    static let defaultSeed: UInt64 = 1234

    private let count: Int
    /// `count` for each row.
    private let picked: [UInt32]

    /// - Parameters:
    ///   - rows: How many rows of `evaluated` get examples, from the first.
    ///   - evaluated: The rows to be left out of their own examples; `nil` if they may be among them.
    init(
        _ count: Int, seed: UInt64, from pool: FewShotPool, rows: Int, droppingOwn evaluated: DataSet?
    ) throws(TaskError) {
        let size = pool.count
        guard size >= count + (evaluated == nil ? 0 : 1) else { throw Self.tooFew(size, count, evaluated != nil) }
        self.count = count
        var random = PythonRandom(seed: seed)
        var picked: [UInt32] = []
        picked.reserveCapacity(rows * count)
        let classes = evaluated == nil ? nil : try DocumentClasses(pool)
        for row in 0..<rows {
            var indices: [Int]
            if let evaluated, let classes {
                indices = random.sample(count + 1, of: size) ?? []
                let own = classes.number(of: try evaluated.document(at: row).value)
                indices = Array(indices.filter { !classes.isEqual($0, to: own) }.prefix(count))
                // Equal copies of the row were drawn: lm-eval draws again from the rest.
                if indices.count < count {
                    let others = (0..<size).filter { !classes.isEqual($0, to: own) }
                    guard let again = random.sample(count, of: others.count) else {
                        throw Self.tooFew(others.count, count, true)
                    }
                    indices = again.map { others[$0] }
                }
            } else {
                indices = random.sample(count, of: size) ?? []
            }
            picked += indices.map(UInt32.init)
        }
        self.picked = picked
    }

    /// The examples of a row, as places in the pool; `nil` for a row beyond those that were asked for.
    func indices(for row: Int) -> [Int]? {
        guard row >= 0, (row + 1) * self.count <= self.picked.count else { return nil }
        return self.picked[row * self.count..<(row + 1) * self.count].map(Int.init)
    }

    private static func tooFew(_ size: Int, _ count: Int, _ dropsOwn: Bool) -> TaskError {
        TaskError(
            .invalidData,
            "num_fewshot is \(count), but the few-shot examples are taken from only \(size)"
                + "\(dropsOwn ? ", the row itself left out" : ""); lower it or add rows")
    }
}
