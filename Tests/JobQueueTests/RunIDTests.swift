import JobQueue
import Testing

@Suite struct RunIDTests {
    @Test func readsWhatPeopleType() throws {
        #expect(try RunID("K3F9X2Ol").text == "k3f9x201")
    }

    @Test(arguments: ["", "k3f9x2a", "k3f9x2abc", "k3f9x2a/", "k3f9x2au", "k3f9 2ab"])
    func refusesWhatIsNone(text: String) throws {
        let error = try #require(throws: QueueError.self) { try RunID(text) }
        #expect(error.code == .invalid)
    }

    @Test func randomOnesReadBack() throws {
        for _ in 0..<200 {
            let id = RunID.random()
            #expect(try RunID(id.text) == id)
        }
    }
}
