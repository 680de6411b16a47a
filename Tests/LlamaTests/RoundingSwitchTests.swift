import Foundation
import Testing

@testable import Llama

@Suite struct RoundingSwitchTests {
    @Test func whatIsSetIsTakenOutAndNamed() {
        setenv("ASSAY_TEST_SWITCH_A", "f16", 1)
        #expect(RoundingSwitches.remove(["ASSAY_TEST_SWITCH_A", "ASSAY_TEST_SWITCH_B"]) == ["ASSAY_TEST_SWITCH_A"])
        #expect(getenv("ASSAY_TEST_SWITCH_A") == nil)
        #expect(RoundingSwitches.remove(["ASSAY_TEST_SWITCH_A"]).isEmpty)
    }
}
