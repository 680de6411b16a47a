import Testing

extension FaultSuite {
    /// The judge of histories, judged: it must accept what the contract allows, and refuse each thing that it forbids.
    @Suite struct HistoryCheckerTests {
        // MARK: Right

        @Test func anUndisturbedLifeIsRight() {
            expectRight {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .heartbeat(epoch: 1, .kept))
                $0.call(1, .fail(epoch: 1, isPermanent: false, .retry))
                $0.call(2, .claim(epoch: 2, attempt: 2, isPrefetch: true))
                $0.call(2, .begin(epoch: 2, isMine: true))
                $0.call(2, .commit(epoch: 2, digest: "a", .committed))
                $0.call(2, .commit(epoch: 2, digest: "a", .already))
                $0.call(1, .commit(epoch: 1, digest: "a", .fenced))
                $0.call(nil, .result(Model.Result(epoch: 2, worker: 2, digest: "a")))
                $0.call(nil, .read(.init(state: .done, epoch: 2, failures: 1)))
            }
        }

        @Test func aLateResultOfAWorkerThatWasThoughtDeadIsRight() {
            expectRight {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(nil, .read(.init(state: .ready, epoch: 1, failures: 0)))
                $0.call(1, .commit(epoch: 1, digest: "a", .committed))
            }
        }

        /// A result of another engine than the job's changes nothing: the shard is still the worker's.
        @Test func aResultOfAnotherEngineIsRight() {
            expectRight {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .commit(epoch: 1, digest: "a", .unlike))
                $0.call(1, .release(epoch: 1, isReleased: true))
                $0.call(2, .claim(epoch: 2, attempt: 1, isPrefetch: false))
                $0.call(2, .commit(epoch: 2, digest: "a", .committed))
            }
        }

        @Test func aCommitWithoutAnAnswerMayHaveHappenedOrNot() {
            for isThere in [true, false] {
                expectRight {
                    $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                    $0.call(1, .commit(epoch: 1, digest: "a", nil), isAnswered: false)
                    $0.call(1, .commit(epoch: 1, digest: "a", isThere ? .already : .committed))
                    $0.call(nil, .result(Model.Result(epoch: 1, worker: 1, digest: "a")))
                }
            }
        }

        @Test func callsAtTheSameTimeMayHaveComeInEitherOrder() {
            expectRight {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                let place = $0.calls.count
                $0.call(1, .commit(epoch: 1, digest: "a", .committed))
                $0.call(nil, .result(Model.Result(epoch: 1, worker: 1, digest: "a")))
                $0.calls[place].end = 100
            }
        }

        @Test func aCrashMayUndoAClaimAndItsNumberComesAgain() {
            expectRight {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(nil, .crash)
                $0.call(2, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .commit(epoch: 1, digest: "a", .fenced))
                $0.call(2, .commit(epoch: 1, digest: "a", .committed))
            }
        }

        @Test func aResultWhoseClaimACrashUndidCountsAsLongAsNobodyElseHasTheShard() {
            expectRight {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(nil, .crash)
                $0.call(nil, .read(.init(state: .ready, epoch: 0, failures: 0)))
                $0.call(1, .commit(epoch: 1, digest: "a", .committed))
                $0.call(nil, .result(Model.Result(epoch: 1, worker: 1, digest: "a")))
            }
        }

        @Test func aClaimWhoseAnswerGotLostExplainsAMissingNumber() {
            let calls = Calls {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .release(epoch: 1, isReleased: true))
                $0.call(3, .claim(epoch: 3, attempt: 1, isPrefetch: false))
            }.calls
            var history = ShardHistory(calls: calls)
            #expect(history.violation() != nil)
            history.unansweredClaims = [.init(start: 4, deadline: .max)]
            #expect(history.violation() == nil)
            history.ghostEpochs = [1]
            #expect(history.violation() != nil, "the database's log says that nobody had it")
        }

        @Test func whatIsTakenOutIsComputedAgain() {
            expectRight {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .commit(epoch: 1, digest: "a", .committed))
                $0.call(nil, .withdraw(epoch: 1, worker: 1, isTaken: true))
                $0.call(1, .commit(epoch: 1, digest: "a", .fenced))
                $0.call(2, .claim(epoch: 2, attempt: 1, isPrefetch: false))
                $0.call(2, .commit(epoch: 2, digest: "a", .committed))
            }
        }

        // MARK: Wrong

        @Test func twoResultsOfOneShardAreWrong() {
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(2, .claim(epoch: 2, attempt: 1, isPrefetch: false))
                $0.call(1, .commit(epoch: 1, digest: "a", .committed))
                $0.call(2, .commit(epoch: 2, digest: "a", .committed))
            }
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .commit(epoch: 1, digest: "a", .committed))
                $0.call(1, .commit(epoch: 1, digest: "a", .committed))
            }
        }

        @Test func aResultOfASupersededClaimIsWrong() {
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(2, .claim(epoch: 2, attempt: 1, isPrefetch: false))
                $0.call(1, .commit(epoch: 1, digest: "a", .committed))
            }
        }

        @Test func aResultThatWasAcceptedAndIsGoneIsWrong() {
            for isCrashed in [false, true] {
                expectWrong {
                    $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                    $0.call(1, .commit(epoch: 1, digest: "a", .committed))
                    if isCrashed { $0.call(nil, .crash) }
                    $0.call(nil, .result(nil))
                }
            }
        }

        @Test func anotherResultThanTheOneThatWasAcceptedIsWrong() {
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .commit(epoch: 1, digest: "a", .committed))
                $0.call(nil, .result(Model.Result(epoch: 1, worker: 1, digest: "b")))
            }
        }

        @Test func aResultThatIsSeenBeforeItWasSentIsWrong() {
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(nil, .result(Model.Result(epoch: 1, worker: 1, digest: "a")))
                $0.call(1, .commit(epoch: 1, digest: "a", .committed))
            }
        }

        @Test func aNumberThatComesTwiceOrGoesBackIsWrong() {
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(2, .claim(epoch: 1, attempt: 1, isPrefetch: false))
            }
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .release(epoch: 1, isReleased: true))
                $0.call(1, .claim(epoch: 2, attempt: 1, isPrefetch: false))
                $0.call(1, .release(epoch: 2, isReleased: true))
                $0.call(1, .claim(epoch: 2, attempt: 1, isPrefetch: false))
            }
        }

        /// What was released is on the disk, and the claim before it.
        @Test func aCrashDoesNotUndoWhatWasWaitedFor() {
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .release(epoch: 1, isReleased: true))
                $0.call(nil, .crash)
                $0.call(2, .claim(epoch: 1, attempt: 1, isPrefetch: false))
            }
        }

        @Test func aClaimOfWhatALivingWorkerComputesIsWrong() {
            let calls = Calls {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(2, .claim(epoch: 2, attempt: 1, isPrefetch: false))
                $0.call(1, .heartbeat(epoch: 1, .lost))
            }.calls
            var history = ShardHistory(calls: calls)
            #expect(history.violation() == nil, "it may have been thought dead")
            history.lastSigns = [1: calls[2].start]
            #expect(history.violation() != nil, "its lease was renewed later")
        }

        @Test func aRefusalWithoutAReasonIsWrong() {
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .commit(epoch: 1, digest: "a", .fenced))
                $0.call(nil, .read(.init(state: .running, epoch: 1, failures: 0)))
            }
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .commit(epoch: 1, digest: "a", .committed))
                $0.call(1, .commit(epoch: 1, digest: "a", .fenced))
            }
        }

        @Test func aRefusalOfAResultWhoseClaimACrashUndidIsWrong() {
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(nil, .crash)
                $0.call(nil, .read(.init(state: .ready, epoch: 0, failures: 0)))
                $0.call(1, .commit(epoch: 1, digest: "a", .fenced))
                $0.call(nil, .read(.init(state: .ready, epoch: 0, failures: 0)))
            }
        }

        @Test func aClaimAfterACancelOrAHoldIsWrong() {
            for stop in [ShardCall.Operation.cancel, .hold] {
                expectWrong {
                    $0.call(nil, stop)
                    $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                }
                expectRight {
                    $0.call(nil, stop)
                    $0.call(nil, .retry(onlyFailed: false))
                    $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                }
            }
        }

        @Test func attemptsThatAreCountedWronglyAreWrong() {
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .fail(epoch: 1, isPermanent: false, .retry))
                $0.call(1, .claim(epoch: 2, attempt: 1, isPrefetch: false))
            }
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .release(epoch: 1, isReleased: true))
                $0.call(1, .claim(epoch: 2, attempt: 2, isPrefetch: false))
            }
            expectWrong {
                $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: false))
                $0.call(1, .fail(epoch: 1, isPermanent: false, .failed))
            }
        }

        @Test func takingOverWhatIsBegunIsWrong() {
            func history(isPrefetch: Bool, isBegun: Bool) -> ShardHistory {
                var history = ShardHistory(
                    calls: Calls {
                        $0.call(1, .claim(epoch: 1, attempt: 1, isPrefetch: isPrefetch))
                        if isBegun { $0.call(1, .begin(epoch: 1, isMine: true)) }
                        $0.call(2, .claim(epoch: 2, attempt: 1, isPrefetch: false))
                    }.calls)
                history.lastSigns = [1: 100]
                return history
            }
            #expect(history(isPrefetch: true, isBegun: false).violation() == nil)
            #expect(history(isPrefetch: true, isBegun: true).violation() != nil)
            #expect(history(isPrefetch: false, isBegun: false).violation() != nil)
        }

        // MARK: Writing histories

        private struct Calls {
            var calls: [ShardCall] = []
            var time = 0

            init(_ write: (inout Calls) -> Void) { write(&self) }

            /// One call behind the other, unless the test moves an end.
            mutating func call(_ worker: Int?, _ operation: ShardCall.Operation, isAnswered: Bool = true) {
                calls.append(
                    ShardCall(worker: worker, operation: operation, start: time, end: isAnswered ? time + 1 : nil))
                time += 2
            }
        }

        private func expectRight(
            _ write: (inout Calls) -> Void, at location: SourceLocation = #_sourceLocation
        ) {
            let violation = ShardHistory(calls: Calls(write).calls).violation()
            #expect(violation == nil, sourceLocation: location)
        }

        private func expectWrong(
            _ write: (inout Calls) -> Void, at location: SourceLocation = #_sourceLocation
        ) {
            let violation = ShardHistory(calls: Calls(write).calls).violation()
            #expect(violation != nil, sourceLocation: location)
        }
    }
}
