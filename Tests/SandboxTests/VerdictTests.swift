import Testing
import UVEventLoop

@testable import Sandbox

@Suite(.needsBubblewrap) struct VerdictTests {
    @Test(arguments: [
        "", "x = 1", "def f(a):\n    return a + 1\n\ndef check(c):\n    assert c(1) == 2\n\ncheck(f)",
        "import math, re, heapq, itertools, functools, collections, hashlib, typing, string, copy, bisect, datetime",
        "print('\\ud800')\nimport sys\nprint('x', file=sys.stderr)",
        "assert '\u{FFFD}\u{1F600}' == '\\ufffd\\U0001f600'",
        "# -*- coding: latin-1 -*-\r\nassert len('é') == 1\r\n",
        // A thread that is still at work does not hold up the verdict.
        "import threading, time\nthreading.Thread(target=time.sleep, args=(3600,)).start()",
        "import asyncio\nasync def f(): return 7\nassert asyncio.run(f()) == 7",
    ])
    func passes(program: String) async throws {
        try await expectPass(program)
    }

    @Test(arguments: [
        ("x = 1\nassert x == 2", "line 2, in <module>\nAssertionError"),
        ("def f():\n    assert False, 'no'\nf()", "line 3, in <module>\nline 2, in f\nAssertionError: no"),
        ("def f(:", "SyntaxError: invalid syntax (<string>, line 1)"), ("1/0", "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(0)", "SystemExit: 0"), ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import os\nos._exit(0)", "it ended itself with exit status 0 before its last line"),
        ("import os\nos._exit(137)", "it ended itself with exit status 137 before its last line"),
        ("import os\nos.closerange(0, 1000)", "it ended itself with exit status 1 before its last line"),
        ("input()", "OSError"), ("import sys\nsys.stdin.read()", "OSError"), ("print.x = 1", "AttributeError"),
        ("a = 1\u{0}", "null bytes"), ("raise ValueError('\\ud800\u{1F600}')", "ValueError: \\ud800\u{1F600}"),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E", "E: <its text can't be had: E>"),
        ("def f(): f()\nf()", "RecursionError"), ("import numpy", "ModuleNotFoundError"),
    ])
    func fails(program: String, reason: String) async throws {
        guard case .failed(let text) = try await verdict(on: program) else {
            Issue.record("\(program) did not fail")
            return
        }
        #expect(text.hasSuffix(reason) || text.contains(reason), "\(text)")
    }

    @Test func longReasonsAreCut() async throws {
        var limits = SandboxLimits()
        limits.reasonBytes = 100
        let cut = try await verdict(on: "raise ValueError('é' * 100000)", limits)
        guard case .failed(let text) = cut else {
            Issue.record("\(cut)")
            return
        }
        #expect(text.hasPrefix("line 1, in <module>\nValueError: éé"))
        #expect(text.utf8.count <= 103)
    }

    @Test func longProgramsArriveWhole() async throws {
        let program = "x = '" + String(repeating: "abcdefgh", count: 1 << 19) + "'\nassert len(x) == 4194304, len(x)"
        try await expectPass(program)
    }

    @Test func signalsAreTold() async throws {
        #expect(try await verdict(on: "import os\nos.abort()") == .killed(signal: 6))
        #expect(try await verdict(on: "import ctypes\nctypes.string_at(0)") == .killed(signal: 11))
        #expect(try await verdict(on: "import os\nos.kill(os.getpid(), 9)") == .killed(signal: 9))
        // All but itself and process 1, which is nobody.
        #expect(try await verdict(on: "import os\nos.kill(-1, 9)").description.contains("ProcessLookupError"))
    }

    /// As code_eval does, which executes the text with empty globals.
    @Test func theMainBlockIsNotRun() async throws {
        try await expectPass("assert __name__ == 'builtins'\nif __name__ == '__main__': 1/0")
    }

    /// Sets have the same order each time, so that a program that depends on it is judged the same.
    @Test func hashesAreAlwaysTheSame() async throws {
        let first = try await verdict(on: "raise ValueError(hash('text'))")
        #expect(try await verdict(on: "raise ValueError(hash('text'))") == first)
    }

    @Test(arguments: ["", "started", "passed", "x\npassed", "started 3.11.2\n", "started 3.11.2\npass", "\n\n"])
    func incompleteReportsHoldNoVerdict(text: String) {
        #expect(DriverReport(text).verdict == nil)
    }

    @Test func reportsAreRead() {
        #expect(DriverReport("started 3.11.2\nfailed\na\nb").verdict == .failed("a\nb"))
        #expect(DriverReport("started 3.11.2\nkilled\n11").verdict == .killed(signal: 11))
        #expect(DriverReport("started 3.11.2\nkilled\nx").verdict == nil)
        #expect(DriverReport("started 3.11.2\n").python == "3.11.2")
    }

    @Test func verdictsAreWords() {
        let all: [Verdict] = [.passed, .failed("x"), .timedOut, .outOfMemory, .killed(signal: 9)]
        #expect(
            all.map { "\($0)" } == ["passed", "failed: x", "timed out", "out of memory", "killed by signal 9"])
        #expect(all.filter(\.isPass) == [.passed])
    }
}
