import Testing

@testable import Inference

@Suite struct PrefixTreeTests {
    /// The tokens on the way from the root to a node.
    private func path(_ tree: PrefixTree, _ node: Int) -> [Int32] {
        var tokens: [Int32] = []
        var node = node
        while node != PrefixTree.root {
            tokens = (tree.start(of: node)..<tree.nodes[node].depth).map { tree.token(of: node, at: $0) } + tokens
            node = tree.nodes[node].parent
        }
        return tokens
    }

    @Test func mergesWhatBeginsAlike() {
        let tree = PrefixTree([[1, 2, 3, 4], [1, 2, 5], [1, 2], [9], [1, 2, 3, 4]])
        // The root; 1 2; 3 4; 5; 9.
        #expect(tree.nodes.count == 5)
        #expect(tree.nodes.reduce(0) { $0 + $1.depth - tree.nodes[$1.parent].depth } == 6)
        #expect(tree.nodes[PrefixTree.root].children.map { tree.nodes[$0].depth } == [2, 1])
    }

    @Test func emptySequencesEndAtTheRoot() {
        let tree = PrefixTree([[], [7]])
        #expect(tree.nodes[PrefixTree.root].endings == [0])
        #expect(PrefixTree([]).nodes.count == 1)
    }

    @Test(arguments: 0..<30)
    func holdsExactlyItsSequences(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let sequences = (0..<40).map { _ in
            (0..<Int.random(in: 0...12, using: &generator)).map { _ in Int32.random(in: 0...2, using: &generator) }
        }
        let tree = PrefixTree(sequences)
        var ended: Set<Int> = []
        for node in tree.nodes.indices {
            for ending in tree.nodes[node].endings {
                #expect(self.path(tree, node) == sequences[ending])
                #expect(ended.insert(ending).inserted)
            }
            // No node is superfluous, and children begin differently.
            let children = tree.nodes[node].children
            let firsts = children.map { tree.token(of: $0, at: tree.nodes[node].depth) }
            #expect(Set(firsts).count == children.count)
            #expect(node == PrefixTree.root || children.count != 1 || !tree.nodes[node].endings.isEmpty)
        }
        #expect(ended.count == sequences.count)
        let prefixes = Set(sequences.flatMap { sequence in sequence.indices.map { Array(sequence[...$0]) } })
        #expect(tree.nodes.reduce(0) { $0 + $1.depth - tree.nodes[$1.parent].depth } == prefixes.count)
    }

    /// Sequences part where blocks end; one that ends where another goes on takes no room of its own.
    @Test(arguments: 0..<60)
    func sharesWholeBlocks(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let block = [2, 3, 4][seed % 3]
        let sequences = (0..<40).map { _ in
            (0..<Int.random(in: 0...14, using: &generator)).map { _ in Int32.random(in: 0...1, using: &generator) }
        }
        let tree = PrefixTree(sequences, block: block)
        var ended: Set<Int> = []
        for node in tree.nodes.indices {
            for ending in tree.nodes[node].endings {
                #expect(self.path(tree, node) == sequences[ending])
                #expect(ended.insert(ending).inserted)
            }
            #expect(tree.nodes[node].children.count < 2 || tree.nodes[node].depth % block == 0)
            #expect(node == PrefixTree.root || tree.nodes[node].depth > tree.start(of: node))
        }
        #expect(ended.count == sequences.count)
        // Whole blocks are there once.
        var blocks = 0
        for node in tree.nodes.indices where node != PrefixTree.root {
            let (start, end) = (tree.start(of: node), tree.nodes[node].depth)
            blocks += end / block - start / block
        }
        let distinct = Set(
            sequences.flatMap { sequence in (0..<sequence.count / block).map { Array(sequence[..<(($0 + 1) * block)]) }
            })
        #expect(blocks == distinct.count)
    }

    @Test func whatGoesOnWhereAnotherEndsSharesAllOfIt() {
        let tree = PrefixTree([[1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 8], [1, 2]], block: 4)
        // The root; 1 2, at which the last one ends; 3 4; 5, at which the first one ends; 6 7; 5 6 8.
        #expect(tree.nodes.map { $0.depth - tree.nodes[$0.parent].depth }.sorted() == [0, 1, 2, 2, 2, 3])
    }

    @Test func sharedDepthIsTheCommonPrefix() {
        let sequences: [[Int32]] = [[1, 2, 3], [1, 2, 4, 5], [1, 2, 4, 6], [8]]
        let tree = PrefixTree(sequences)
        let ends = sequences.indices.map { index in tree.nodes.firstIndex { $0.endings.contains(index) } ?? -1 }
        for first in sequences.indices {
            for second in sequences.indices {
                let common = zip(sequences[first], sequences[second]).prefix { $0 == $1 }.count
                #expect(tree.sharedDepth(ends[first], ends[second]) == common)
            }
        }
    }

    @Test func parentsComeFirstAndChildrenInOrderOfArrival() {
        let tree = PrefixTree([[5, 1], [3], [5, 2], [4]])
        let order = tree.preorder()
        #expect(Set(order) == Set(tree.nodes.indices))
        for node in order where node != PrefixTree.root {
            #expect((order.firstIndex(of: tree.nodes[node].parent) ?? .max) < (order.firstIndex(of: node) ?? 0))
        }
        #expect(tree.nodes[PrefixTree.root].children.map { tree.token(of: $0, at: 0) } == [5, 3, 4])
    }
}
