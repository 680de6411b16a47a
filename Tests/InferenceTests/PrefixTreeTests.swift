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
