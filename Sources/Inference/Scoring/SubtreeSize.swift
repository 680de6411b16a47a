/// What it takes to compute a node of a prefix tree and everything below it.
struct SubtreeSize {
    /// Tokens, and where sequences share whole blocks the cells that stay empty behind each: attention runs over them, too.
    var tokens = 0
    var outputs = 0
    var leaves = 0
    /// Outputs wanted on the node's own edge: always its last tokens.
    var edgeOutputs = 0
    /// The smallest depth whose output is wanted by a request through this node.
    private var firstOutput = Int.max

    /// The sizes of all nodes; `scoredFrom` is each sequence's first scored index.
    static func all(of tree: PrefixTree, scoredFrom: [Int], block: Int = 1) -> [SubtreeSize] {
        var sizes = Array(repeating: SubtreeSize(), count: tree.nodes.count)
        // Children come before their parents.
        for node in tree.preorder().reversed() {
            var size = SubtreeSize()
            let (start, end) = (tree.start(of: node), tree.nodes[node].depth)
            for child in tree.nodes[node].children {
                size.tokens += sizes[child].tokens
                size.outputs += sizes[child].outputs
                size.leaves += sizes[child].leaves
                size.firstOutput = min(size.firstOutput, sizes[child].firstOutput)
            }
            // The output at depth d predicts the token at depth d + 1.
            for ending in tree.nodes[node].endings { size.firstOutput = min(size.firstOutput, scoredFrom[ending] - 1) }
            size.edgeOutputs = max(0, end - max(start, size.firstOutput))
            size.tokens += end - start
            size.outputs += size.edgeOutputs
            if tree.nodes[node].children.isEmpty {
                size.leaves = 1
                size.tokens += (block - end % block) % block
            }
            sizes[node] = size
        }
        return sizes
    }
}
