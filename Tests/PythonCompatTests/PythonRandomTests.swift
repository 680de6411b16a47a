import PythonCompat
import Testing

@Suite struct PythonRandomBoundsTests {
    @Test func moreThanThereAreCanNotBeDrawn() {
        var random = PythonRandom(seed: 1)
        #expect(random.sample(3, of: 2) == nil && random.sample(-1, of: 2) == nil && random.sample(0, of: 0) == [])
        #expect(random.choices(3, of: 0) == [] && random.below(0) == 0)
    }
}
