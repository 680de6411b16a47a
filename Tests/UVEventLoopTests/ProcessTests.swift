import Testing
import UVEventLoop

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

private func shell(_ script: String) -> ProcessConfiguration {
    ProcessConfiguration(
        "/bin/sh", ["-c", script], standardOutput: .capture(limit: 1 << 20), standardError: .capture(limit: 1 << 20))
}

@Suite struct ProcessTests {
    @Test(arguments: [0, 1, 77, 255])
    func reportsTheExitStatus(status: Int) async throws {
        try await withEventLoop { loop in
            let result = try await loop.run(shell("exit \(status)"))
            #expect(result.termination == .exited(status: status))
            #expect(result.termination.isSuccess == (status == 0))
        }
    }

    @Test func reportsTheSignal() async throws {
        try await withEventLoop { loop in
            let result = try await loop.run(shell("kill -TERM $$"))
            #expect(result.termination == .signalled(SIGTERM))
            #expect(result.termination.description == "killed by signal 15")
        }
    }

    @Test func capturesBothStreams() async throws {
        try await withEventLoop { loop in
            let result = try await loop.run(shell("echo out; echo err >&2; printf '\\377'"))
            #expect(result.standardOutput.bytes == Array("out\n".utf8) + [0xFF])
            #expect(result.standardError.text == "err\n")
            #expect(!result.standardOutput.isTruncated)
        }
    }

    @Test(arguments: [0, 1, 1000, 65536])
    func keepsTheEndOfLongOutput(limit: Int) async throws {
        try await withEventLoop { loop in
            var configuration = shell("i=0; while [ $i -lt 30000 ]; do echo $i; i=$((i+1)); done; printf end")
            configuration.standardOutput = .capture(limit: limit)
            let result = try await loop.run(configuration)
            #expect(result.standardOutput.isTruncated)
            #expect(result.standardOutput.bytes.count == limit)
            #expect("29998\n29999\nend".hasSuffix(result.standardOutput.text.suffix(12)))
        }
    }

    @Test func passesArgumentsEnvironmentAndFolder() async throws {
        try await withEventLoop { loop in
            var configuration = shell("printf '%s|%s|%s' \"$1\" \"$NAME\" \"$(pwd)\"")
            configuration.arguments += ["sh", "a 'b' \"c\" $d"]
            configuration.environment = ["NAME": "värde = 1"]
            configuration.workingDirectory = "/"
            let result = try await loop.run(configuration)
            #expect(result.standardOutput.text == "a 'b' \"c\" $d|värde = 1|/")
        }
    }

    @Test func standardInputIsEmptyByDefault() async throws {
        try await withEventLoop { loop in
            let result = try await loop.run(shell("cat; echo done"))
            #expect(result.standardOutput.text == "done\n")
        }
    }

    @Test func missingProgramsAreErrors() async throws {
        try await withEventLoop { loop in
            let error = await #expect(throws: EventLoopError.self) {
                try await loop.run(ProcessConfiguration("/no/such/program", standardOutput: .capture(limit: 10)))
            }
            #expect(error?.systemError == ENOENT)
            #expect(error?.description.hasPrefix("start /no/such/program: ") == true)
        }
    }

    @Test func cancelledWaitLeavesTheChildAlone() async throws {
        try await withEventLoop { loop in
            let child = try await loop.spawn(shell("read line; exit 3").reading(.null))
            let quiet = try await loop.spawn(ProcessConfiguration("/bin/sleep", ["3600"]))
            let waiter = Task { try await quiet.waitForExit() }
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
            #expect(quiet.result == nil)
            #expect(kill(quiet.processID, 0) == 0)
            try await quiet.send(signal: SIGKILL)
            #expect(try await quiet.waitForExit().termination == .signalled(SIGKILL))
            #expect(try await child.waitForExit().termination == .exited(status: 3))
            // Both again, now from memory; and a signal to a process that is gone does nothing.
            #expect(try await child.waitForExit().termination == .exited(status: 3))
            #expect(quiet.result?.termination == .signalled(SIGKILL))
            try await quiet.send(signal: SIGKILL)
        }
    }

    @Test func runKillsTheGroupWhenCancelled() async throws {
        try await withEventLoop { loop in
            // The inner shell holds the write end; end of file on our end shows that both are gone.
            var ends: [CInt] = [-1, -1]
            let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
            try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
            defer { close(ends[0]) }
            var configuration = ProcessConfiguration("/bin/sh", ["-c", "sh -c 'echo up; sleep 3600; :'; :"])
            configuration.standardOutput = .descriptor(ends[1])
            configuration.hasOwnGroup = true
            let task = Task { [configuration] in try await loop.run(configuration) }
            try await loop.waitUntilReadable(ends[0])
            var bytes = [UInt8](repeating: 0, count: 8)
            #expect(read(ends[0], &bytes, 3) == 3)
            close(ends[1])
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await loop.waitUntilReadable(ends[0])
            #expect(read(ends[0], &bytes, 8) == 0)
        }
    }

    @Test func aGrandchildThatKeepsThePipeDoesNotHoldUs() async throws {
        try await withEventLoop { loop in
            let result = try await loop.run(shell("echo early; sleep 3600 & echo $!"))
            let lines = result.standardOutput.text.split(separator: "\n")
            #expect(lines.first == "early")
            if let last = lines.last, let grandchild = CInt(last) { kill(grandchild, SIGKILL) }
        }
    }

    @Test func manyChildrenAtOnce() async throws {
        try await withEventLoop { loop in
            let statuses = try await withThrowingTaskGroup(of: ProcessTermination.self) { group in
                for number in 0..<40 { group.addTask { try await loop.run(shell("exit \(number)")).termination } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(statuses == Set((0..<40).map { .exited(status: $0) }))
        }
    }
}

extension ProcessConfiguration {
    fileprivate func reading(_ input: Input) -> ProcessConfiguration {
        var copy = self
        copy.standardInput = input
        return copy
    }
}
