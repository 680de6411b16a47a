public import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension Sandbox {
    /// Finds what a sandbox needs on this machine, and runs a program in one that tries whether it holds.
    ///
    /// - Parameters:
    ///   - python: The path of a Python in /usr or /usr/local; nil for the distribution's.
    ///   - loop: Starts and watches the programs.
    public static func find(
        limits: SandboxLimits = SandboxLimits(), python: String? = nil, on loop: EventLoop
    ) async throws(SandboxError) -> Sandbox {
        if let mistake = limits.mistake {
            throw SandboxError(.limits, "programs can't be run with these limits: \(mistake)")
        }
        let tools = try SandboxTools.find(python: python)
        let jail = Jail(tools: tools, identity: Jail.identity)
        // Its own limits: the caller's may be too tight for anything, and that is no fault of the machine's.
        let run = SandboxRun(jail: jail, limits: SandboxLimits(), loop: loop)
        let result: (result: ProcessResult, hasExpired: Bool)
        do throws(SandboxError) {
            result = try await run.result(of: String(decoding: PackageResources.probe_py, as: UTF8.self))
        } catch {
            throw error.code == .cancelled ? error : SandboxError(.unavailable, error.message, hint: Self.hint(""))
        }
        let report = DriverReport(result.result.standardOutput.text)
        guard report.verdict == .passed, let version = report.python else {
            throw Self.unfit(report, result.result, hasExpired: result.hasExpired)
        }
        return Sandbox(limits: limits, pythonVersion: version, jail: jail, loop: loop)
    }

    private static func unfit(_ report: DriverReport, _ result: ProcessResult, hasExpired: Bool) -> SandboxError {
        if let verdict = report.verdict {
            return SandboxError(
                .unavailable, "a sandbox does not hold on this machine; the program that tries it \(verdict)",
                hint: "run as another user than root, on Linux 5.14 or newer")
        }
        let text = result.standardError.text.split(separator: "\n").suffix(4).joined(separator: " / ")
        let end = hasExpired ? "it did not end in time" : "\(result.termination)"
        return SandboxError(
            .unavailable,
            "bwrap does not run Python in a sandbox on this machine (\(end)): \(text.isEmpty ? "no message" : text)",
            hint: Self.hint(text))
    }

    /// What to do when bwrap says `text`, as far as this machine's settings show it.
    private static func hint(_ text: String) -> String {
        if text.contains("Unknown option") { return "install bubblewrap 0.8 or newer" }
        if Self.setting("kernel/unprivileged_userns_clone") == "0" {
            return "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1"
        }
        if Self.setting("user/max_user_namespaces") == "0" {
            return "allow user namespaces: sysctl user.max_user_namespaces=10000"
        }
        if Self.setting("kernel/apparmor_restrict_unprivileged_userns") == "1" {
            return """
                allow bwrap user namespaces by an AppArmor profile (apt install apparmor-profiles, then enable \
                bwrap-userns-restrict), or all programs: sysctl kernel.apparmor_restrict_unprivileged_userns=0
                """
        }
        return """
            in a container, allow user namespaces and mounts in them (Docker: --security-opt seccomp=unconfined \
            --security-opt apparmor=unconfined)
            """
    }

    private static func setting(_ name: String) -> String? {
        guard let file = fopen("/proc/sys/\(name)", "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").first.map { String($0) }
    }
}
