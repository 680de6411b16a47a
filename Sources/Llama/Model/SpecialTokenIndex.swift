internal import CLlama

/// Finds special tokens in texts: the leftmost, and of several that begin there the longest.
///
/// Hugging Face's tokenizers do so before anything else happens to a text, no matter who wrote it.
struct SpecialTokenIndex: Sendable {
    enum Part: Hashable {
        case token(Int32)
        case text(Substring)
    }

    private struct Entry: Sendable {
        var token: Int32
        /// White space before the token is dropped, and after it.
        var stripsLeft: Bool
        var stripsRight: Bool
    }

    /// The node after each first byte; -1 for none.
    private var roots = [Int32](repeating: -1, count: 256)
    /// The node after a node and a byte: `node << 8 | byte`.
    private var edges: [UInt64: Int32] = [:]
    private var entries: [Entry?] = []
    private var marks: Set<Int32> = []

    /// - Parameters:
    ///   - unknown: The token for what has none, which may be written in texts too.
    ///   - named: BOS, EOS and the like, which are marks whatever else the file says of them.
    init(_ vocabulary: OpaquePointer, count: Int, unknown: Int32?, named: Set<Int32>) {
        for token in 0..<Int32(clamping: count) {
            let attributes = llama_vocab_get_attr(vocabulary, token).rawValue
            // llama.cpp takes some words for marks by their names, such as "</s>" of Qwen, which is a word of HTML.
            let isControl =
                attributes & LLAMA_TOKEN_ATTR_CONTROL.rawValue != 0
                && attributes & LLAMA_TOKEN_ATTR_NORMAL.rawValue == 0
            if isControl || named.contains(token) { self.marks.insert(token) }
            guard self.marks.contains(token) || token == unknown, let text = llama_vocab_get_text(vocabulary, token)
            else { continue }
            self.insert(
                String(cString: text),
                Entry(
                    token: token, stripsLeft: attributes & LLAMA_TOKEN_ATTR_LSTRIP.rawValue != 0,
                    stripsRight: attributes & LLAMA_TOKEN_ATTR_RSTRIP.rawValue != 0))
        }
    }

    private mutating func insert(_ text: String, _ entry: Entry) {
        var node: Int32 = -1
        for byte in text.utf8 {
            let next = self.node(behind: node, byte)
            if next >= 0 {
                node = next
                continue
            }
            let new = Int32(self.entries.count)
            self.entries.append(nil)
            if node < 0 {
                self.roots[Int(byte)] = new
            } else {
                self.edges[UInt64(node) << 8 | UInt64(byte)] = new
            }
            node = new
        }
        if node >= 0 { self.entries[Int(node)] = entry }
    }

    private func node(behind node: Int32, _ byte: UInt8) -> Int32 {
        node < 0 ? self.roots[Int(byte)] : self.edges[UInt64(node) << 8 | UInt64(byte)] ?? -1
    }

    /// Whether the file calls the token a mark, rather than a word.
    func isMark(_ token: Int32) -> Bool { self.marks.contains(token) }

    /// The special token that is written so; `nil` if there is none.
    func token(named name: String) -> Int32? {
        guard let (entry, end) = self.match(in: name.utf8, at: name.startIndex), end == name.endIndex else {
            return nil
        }
        return entry.token
    }

    /// The text in parts, none of them empty.
    func parts(of text: String) -> [Part] {
        let bytes = text.utf8
        var parts: [Part] = []
        /// Where the text begins that belongs to no token yet.
        var open = bytes.startIndex
        var index = bytes.startIndex
        while index < bytes.endIndex {
            guard let (entry, end) = self.match(in: bytes, at: index) else {
                bytes.formIndex(after: &index)
                continue
            }
            var before = text[open..<index]
            if entry.stripsLeft {
                while before.unicodeScalars.last?.properties.isWhitespace == true { before.unicodeScalars.removeLast() }
            }
            if !before.isEmpty { parts.append(.text(before)) }
            parts.append(.token(entry.token))
            open = end
            if entry.stripsRight {
                open = text.unicodeScalars[end...].firstIndex { !$0.properties.isWhitespace } ?? text.endIndex
            }
            index = open
        }
        if open < text.endIndex { parts.append(.text(text[open...])) }
        return parts
    }

    private func match(in bytes: String.UTF8View, at start: String.Index) -> (Entry, String.Index)? {
        var best: (Entry, String.Index)?
        var node: Int32 = -1
        var index = start
        while index < bytes.endIndex {
            node = self.node(behind: node, bytes[index])
            guard node >= 0 else { break }
            bytes.formIndex(after: &index)
            if let entry = self.entries[Int(node)] { best = (entry, index) }
        }
        return best
    }
}
