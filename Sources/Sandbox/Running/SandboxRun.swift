internal import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// One program's way through a jail.
struct SandboxRun: Sendable {
    let jail: Jail
    let limits: SandboxLimits
    let loop: EventLoop
    /// In Python; see driver.py.
    var driver = String(decoding: PackageResources.driver_py, as: UTF8.self)
    /// How long a sandbox may take to start, and to end, beyond the program's own time.
    var patience = Self.defaultPatience

    static let defaultPatience: Duration = .seconds(30)
    /// How long a driver has to end by itself when told to; after that it is killed.
    private static let grace: Duration = .seconds(2)

    /// Runs the program and says how its sandbox ended, and whether that was because its time was over.
    ///
    /// The driver keeps the time itself, from the program's start; the loop's timer is for a driver that does not.
    func result(of program: String) async throws(SandboxError) -> (result: ProcessResult, hasExpired: Bool) {
        guard !Task.isCancelled else { throw .cancelled }
        let channel = try ProgramChannel()
        let configuration = self.jail.configuration(
            running: self.driver, self.limits.arguments, folderBytes: self.limits.folderBytes,
            outputLimit: self.limits.reasonBytes + 200, input: channel.remote)
        let child: ChildProcess
        do throws(EventLoopError) {
            child = try await self.loop.spawn(configuration)
        } catch {
            throw SandboxError(.failed, "no sandbox could be started: \(error)")
        }
        channel.closeRemote()
        let watchdog = Task {
            guard (try? await self.loop.sleep(for: self.limits.time + self.patience)) != nil else { return false }
            await self.end(child, channel)
            return true
        }
        do {
            try await channel.bring(program, on: self.loop)
            let result = try await child.waitForExit()
            watchdog.cancel()
            return (result, await watchdog.value)
        } catch {
            watchdog.cancel()
            // A task of its own, because this one is cancelled.
            await Task { await self.end(child, channel) }.value
            if error is CancellationError { throw SandboxError.cancelled }
            throw SandboxError(.failed, "a sandbox was lost: \(error)")
        }
    }

    /// Ends the driver, and with it all processes in the jail, and waits until they are gone.
    private func end(_ child: ChildProcess, _ channel: ProgramChannel) async {
        channel.hangUp()
        let killer = Task {
            guard (try? await self.loop.sleep(for: Self.grace)) != nil else { return }
            try? await child.send(signal: SIGKILL, toGroup: true)
        }
        _ = try? await child.waitForExit()
        killer.cancel()
    }
}
