import Testing

/// Real processes and a real server, and what the operator on call is woken for.
///
/// The tests come one after the other, so that they disturb each other and the rest of the test run little. After each
/// fault every sample is there exactly once, the digest is that of an undisturbed run, nothing in the queue is stuck and
/// no file is left over.
@Suite(.serialized, .timeLimit(.minutes(20))) enum FaultSuite {}
