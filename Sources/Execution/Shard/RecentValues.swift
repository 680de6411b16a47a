/// The values used last, a bounded number of them.
struct RecentValues<Key: Hashable, Value> {
    private var entries: [(key: Key, value: Value)] = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    subscript(key: Key) -> Value? {
        mutating get {
            guard let index = self.entries.firstIndex(where: { $0.key == key }) else { return nil }
            let entry = self.entries.remove(at: index)
            self.entries.append(entry)
            return entry.value
        }
        set {
            self.entries.removeAll { $0.key == key }
            if let newValue { self.entries.append((key, newValue)) }
            if self.entries.count > self.limit { self.entries.removeFirst() }
        }
    }
}
