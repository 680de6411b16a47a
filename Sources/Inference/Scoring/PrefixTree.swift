/// The token sequences of a shard, merged where they begin alike.
///
/// A radix tree: each edge holds a run of tokens. Children stand in the order of the first sequence through
/// them, so that the tree is a function of the sequences alone.
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

    private struct Branch: Hashable {
        var node: Int
        var token: Int32
    }

    static let root = 0

    let sequences: [[Int32]]
    private(set) var nodes = [Node(parent: 0, depth: 0, source: 0)]
    private var branches: [Branch: Int] = [:]

    init(_ sequences: [[Int32]]) {
        self.sequences = sequences
        for index in sequences.indices { self.insert(index) }
        self.branches = [:]
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
            let branch = Branch(node: node, token: sequence[depth])
            guard let child = self.branches[branch] else {
                node = self.append(Node(parent: node, depth: sequence.count, source: index), at: branch)
                break
            }
            let edge = self.nodes[child]
            let end = min(edge.depth, sequence.count)
            var common = depth + 1
            while common < end, self.sequences[edge.source][common] == sequence[common] { common += 1 }
            node = common == edge.depth ? child : self.split(child, at: common, branch: branch)
        }
        self.nodes[node].endings.append(index)
    }

    private mutating func append(_ node: Node, at branch: Branch) -> Int {
        let index = self.nodes.count
        self.nodes.append(node)
        self.nodes[branch.node].children.append(index)
        self.branches[branch] = index
        return index
    }

    /// Puts a new node into a child's edge and returns it.
    private mutating func split(_ child: Int, at depth: Int, branch: Branch) -> Int {
        let source = self.nodes[child].source
        let middle = self.nodes.count
        self.nodes.append(Node(parent: branch.node, depth: depth, source: source, children: [child]))
        self.nodes[child].parent = middle
        if let position = self.nodes[branch.node].children.firstIndex(of: child) {
            self.nodes[branch.node].children[position] = middle
        }
        self.branches[branch] = middle
        self.branches[Branch(node: middle, token: self.sequences[source][depth])] = child
        return middle
    }
}
