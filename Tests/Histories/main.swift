import Synchronization
import WorkerSimulation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

// Runs random histories of workers and says the seed of the first that breaks the contract:
//   worker-histories [COUNT [FIRST-SEED [KIND]]]
//   worker-histories 1 SEED     tells the end of one history that broke it

let arguments = CommandLine.arguments.dropFirst().map(\.self)
guard let count = arguments.first.map({ Int($0) }) ?? 100_000, count > 0,
    let first = arguments.dropFirst().first.map({ UInt64($0) }) ?? UInt64.random(in: 0...(1 << 48))
else {
    print("usage: worker-histories [COUNT [FIRST-SEED [chaos|quiet|rivals]]]")
    exit(2)
}
let kind = arguments.dropFirst(2).first.flatMap(Conditions.Kind.init)
print("\(count) histories from seed \(first)")
let start = ContinuousClock.now
let next = Atomic(0)
let found = Mutex<Violation?>(nil)
let happenings = Atomic(0)

await withTaskGroup(of: Void.self) { group in
    for _ in 0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) {
        group.addTask {
            while found.withLock({ $0 == nil }) {
                let number = next.add(1, ordering: .relaxed).oldValue
                guard number < count else { return }
                var history = History(seed: first &+ UInt64(number), kind: kind)
                do throws(Violation) {
                    happenings.add(try history.run(), ordering: .relaxed)
                } catch {
                    found.withLock { $0 = $0 ?? error }
                }
            }
        }
    }
}
let seconds = ContinuousClock.now - start
if let violation = found.withLock({ $0 }) {
    var again = History(seed: violation.seed, kind: kind, isTracing: true)
    do {
        _ = try again.run()
        print("\(violation)\nthe same seed does not break it again: the history depends on more than its seed")
    } catch {
        print("\(error)")
    }
    print("broken after \(seconds)")
    exit(1)
}
print("\(count) histories, \(happenings.load(ordering: .relaxed)) happenings, none breaks the contract: \(seconds)")
