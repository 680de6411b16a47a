/// The token sequences of a shard, merged where they begin alike.
///
/// A radix tree: each edge holds a run of tokens. Children stand in the order of the first sequence through
/// them, so that the tree is a function of the sequences alone.
///
/// Sequences part at multiples of `block` tokens only: up to a block's length less than they could share, so that no block has
/// tokens of two. One that ends where another goes on shares all of its tokens.
struct PrefixTree {
    struct Node {
        /// The node's parent; the root is its own.
        var parent: Int
        /// The number of tokens from the root to the end of this node's edge.
        var depth: Int
        /// A sequence that goes through this node, where its edge's tokens can be read.
        var source: Int
        var children: [Int] = []
        /// The sequences that end here.
        var endings: [Int] = []
    }

    /// How a child's edge begins: tokens up to the end of the block, or fewer.
    private struct Branch: Hashable {
        var node: Int
        var tokens: ArraySlice<Int32>
    }

    static let root = 0

    let sequences: [[Int32]]
    private(set) var nodes = [Node(parent: 0, depth: 0, source: 0)]
    private let block: Int
    /// The first node below whose path from here begins so.
    private var branches: [Branch: Int] = [:]
    /// The child whose edge has these tokens alone and ends within a block.
    private var stubs: [Branch: Int] = [:]

    init(_ sequences: [[Int32]], block: Int = 1) {
        self.sequences = sequences
        self.block = block
        for index in sequences.indices { self.insert(index) }
        self.branches = [:]
        self.stubs = [:]
    }

    /// The depth at which a node's edge begins.
    func start(of node: Int) -> Int { self.nodes[self.nodes[node].parent].depth }

    /// The token at a depth within a node's edge.
    func token(of node: Int, at depth: Int) -> Int32 {
        self.sequences[self.nodes[node].source][depth]
    }

    /// All nodes, each before its children and these in order.
    func preorder() -> [Int] {
        var order: [Int] = []
        order.reserveCapacity(self.nodes.count)
        var stack = [Self.root]
        while let node = stack.popLast() {
            order.append(node)
            stack.append(contentsOf: self.nodes[node].children.reversed())
        }
        return order
    }

    /// The number of tokens that the paths to two nodes share.
    func sharedDepth(_ first: Int, _ second: Int) -> Int {
        var (first, second) = (first, second)
        while first != second {
            if self.nodes[first].depth >= self.nodes[second].depth {
                first = self.nodes[first].parent
            } else {
                second = self.nodes[second].parent
            }
        }
        return self.nodes[first].depth
    }

    private mutating func insert(_ index: Int) {
        let sequence = self.sequences[index]
        var node = Self.root
        while self.nodes[node].depth < sequence.count {
            let depth = self.nodes[node].depth
            let head = sequence[depth..<min((depth / self.block + 1) * self.block, sequence.count)]
            if var child = self.branches[Branch(node: node, tokens: head)] {
                // Others may have been put between them.
                while self.nodes[child].parent != node { child = self.nodes[child].parent }
                let edge = self.nodes[child]
                let end = min(edge.depth, sequence.count)
                var common = min(depth + head.count, edge.depth)
                while common < end, self.sequences[edge.source][common] == sequence[common] { common += 1 }
                if common == edge.depth {
                    node = child
                } else if common == sequence.count {
                    node = self.split(child, at: common)
                } else {
                    node = self.append(index, to: self.split(child, at: common / self.block * self.block))
                }
            } else if node != Self.root, self.nodes[node].children.isEmpty {
                node = self.append(index, to: node)
            } else if let stub = self.stub(of: node, before: head) {
                node = stub
            } else {
                // Where a sequence ended within this block, another one goes on already.
                let cut = depth / self.block * self.block
                while node != Self.root, self.start(of: node) >= cut { node = self.nodes[node].parent }
                node = self.append(index, to: self.nodes[node].depth > cut ? self.split(node, at: cut) : node)
            }
        }
        self.nodes[node].endings.append(index)
    }

    /// The longest child that ends within a block that goes on with `head`.
    private func stub(of node: Int, before head: ArraySlice<Int32>) -> Int? {
        for length in stride(from: head.count - 1, to: 0, by: -1) {
            if let stub = self.stubs[Branch(node: node, tokens: head.prefix(length))] { return stub }
        }
        return nil
    }

    private mutating func append(_ sequence: Int, to parent: Int) -> Int {
        let child = self.nodes.count
        self.nodes.append(Node(parent: parent, depth: self.sequences[sequence].count, source: sequence))
        self.nodes[parent].children.append(child)
        self.register(child)
        return child
    }

    /// Makes the beginning of a node's edge known.
    private mutating func register(_ child: Int, insteadOf other: Int? = nil) {
        let (node, start) = (self.nodes[child], self.start(of: child))
        let end = (start / self.block + 1) * self.block
        let edge = self.sequences[node.source][start..<min(end, node.depth)]
        for length in 1...edge.count {
            let branch = Branch(node: node.parent, tokens: edge.prefix(length))
            if self.branches[branch] == nil || self.branches[branch] == other { self.branches[branch] = child }
        }
        if node.depth < end { self.stubs[Branch(node: node.parent, tokens: edge)] = child }
    }

    /// Puts a new node into a child's edge and returns it.
    private mutating func split(_ child: Int, at depth: Int) -> Int {
        let (parent, source) = (self.nodes[child].parent, self.nodes[child].source)
        let middle = self.nodes.count
        self.nodes.append(Node(parent: parent, depth: depth, source: source, children: [child]))
        self.nodes[child].parent = middle
        if let position = self.nodes[parent].children.firstIndex(of: child) {
            self.nodes[parent].children[position] = middle
        }
        self.register(middle, insteadOf: child)
        self.register(child)
        return middle
    }
}

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
