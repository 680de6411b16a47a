internal import FoundationEssentials
internal import Postgres

/// The programs that are installed together.
public enum Programs {
    /// The environment that this program was started with, for those that it starts itself.
    ///
    /// libpq's variables are not in the process's own any more.
    public static var environment: [String: String] {
        let taken = LibpqEnvironment.inherited.variables
        return ProcessInfo.processInfo.environment.merging(taken) { own, _ in own }
    }

    /// The path of the program `name` beside the running one, whether or not it is there.
    public static func path(of name: String) -> String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return "\(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])/\(name)"
    }

    public static func isInstalled(_ name: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: self.path(of: name))
    }

    /// The path of a program that must be there.
    public static func find(_ name: String) throws(UserError) -> String {
        guard self.isInstalled(name) else {
            throw UserError("there is no \(self.path(of: name))", hint: "build it: swift build")
        }
        return self.path(of: name)
    }
}
