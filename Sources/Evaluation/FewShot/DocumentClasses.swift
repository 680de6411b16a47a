internal import Crypto

/// Which documents of a pool are equal to each other, and to others.
///
/// Two documents are equal if they have the same columns with the same values, in any order.
struct DocumentClasses: Sendable {
    private struct Key: Hashable {
        let high: UInt64
        let low: UInt64

        /// The first half of the sha256 of the document with sorted keys.
        init(_ document: JSONValue) {
            let digest = Array(SHA256.hash(data: Array(document.text(sortingKeys: true).utf8)))
            func word(_ range: Range<Int>) -> UInt64 { digest[range].reduce(0) { $0 << 8 | UInt64($1) } }
            self.high = word(0..<8)
            self.low = word(8..<16)
        }
    }

    private var classes: [Key: Int32] = [:]
    /// The class of each document of the pool.
    private var members: [Int32] = []
    private var sizes: [Int32] = []

    init(_ pool: FewShotPool) throws(TaskError) {
        for index in 0..<pool.count {
            let key = Key(try pool.document(at: index))
            let number = self.classes[key] ?? Int32(self.sizes.count)
            if number == self.sizes.count {
                self.classes[key] = number
                self.sizes.append(0)
            }
            self.sizes[Int(number)] += 1
            self.members.append(number)
        }
    }

    func isEqual(_ index: Int, to number: Int32?) -> Bool { self.members[index] == number }

    /// The class that a document is in; `nil` if nothing in the pool is equal to it.
    func number(of document: JSONValue) -> Int32? { self.classes[Key(document)] }

    /// The most members that a class has.
    var largest: Int { Int(self.sizes.max() ?? 0) }
}
