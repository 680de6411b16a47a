internal import Files
internal import Glibc
internal import Yams

/// Where a setting's value came from; the first that names it wins.
public enum SettingSource: String, Sendable, Codable {
    case flag, environment, file, `default`
}

/// A value with its origin, so that `assay doctor` can say which one counts.
public struct Setting: Sendable, Hashable {
    public var value: String
    public var source: SettingSource

    public init(_ value: String, _ source: SettingSource) {
        self.value = value
        self.source = source
    }
}

/// What every command must know to find the database and the store.
public struct Settings: Sendable, Hashable {
    /// The folder of the embedded PostgreSQL, of data sets that task files name, and of the default store.
    public var home: Setting
    public var store: Setting
    /// `nil`: the embedded server under `home`.
    public var databaseURL: Setting?
    /// What stands before the database: auto, session or transaction.
    public var databasePooler: Setting
    public var logLevel: Setting
    public var logFormat: Setting

    /// Flags beat the environment, which beats `assay.yaml`, which beats the defaults.
    ///
    /// Relative paths are taken from `folder`. Fails if `assay.yaml` there is not a flat map of the known keys.
    public init(
        flags: [String: String], environment: [String: String], folder: String
    ) throws(UserError) {
        let file = try Self.readFile("\(folder)/assay.yaml", in: folder)
        func find(_ key: String) -> Setting? {
            if let value = flags[key] { return Setting(value, .flag) }
            if let value = environment[Self.variables[key] ?? ""], !value.isEmpty {
                return Setting(value, .environment)
            }
            return file[key].map { Setting($0, .file) }
        }
        func path(_ setting: Setting) -> Setting {
            setting.value.hasPrefix("/") ? setting : Setting("\(folder)/\(setting.value)", setting.source)
        }
        let home = path(find("home") ?? Setting(".assay", .default))
        self.home = home
        self.store = path(find("store") ?? Setting("\(home.value)/store", .default))
        self.databaseURL = find("database_url")
        self.databasePooler = find("database_pooler") ?? Setting("auto", .default)
        self.logLevel = find("log") ?? Setting("warning", .default)
        self.logFormat = find("log_format") ?? Setting("text", .default)
        guard ["text", "json"].contains(self.logFormat.value) else {
            throw UserError(
                "log format '\(self.logFormat.value)' (\(self.logFormat.source.rawValue)) is unknown",
                hint: "use text or json", kind: .usage)
        }
    }

    /// Key in `assay.yaml` to environment variable.
    public static let variables = [
        "home": "ASSAY_HOME", "store": "ASSAY_STORE", "database_url": "ASSAY_DATABASE_URL",
        "database_pooler": "ASSAY_DATABASE_POOLER",
        "log": "ASSAY_LOG", "log_format": "ASSAY_LOG_FORMAT",
    ]

    private static func readFile(_ path: String, in folder: String) throws(UserError) -> [String: String] {
        let node: Node?
        do {
            let bytes = try InputFile.bytes(of: path, limit: 1 << 20)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw UserError("\(path) is not UTF-8 text", hint: "correct or remove the file")
            }
            node = try Yams.compose(yaml: text)
        } catch let error as UserError {
            throw error
        } catch let error as FileError
            where error.isMissing || (error.code == .system(EACCES) && access(folder, X_OK) != 0)
        {
            // A working folder that this user may not look into has no settings for it.
            return [:]
        } catch let error as FileError {
            throw UserError("\(error)", hint: "correct or remove the file")
        } catch {
            throw UserError("\(path) can't be read: \(error)", hint: "correct or remove the file")
        }
        guard let node else { return [:] }
        guard case .mapping(let mapping) = node else {
            throw UserError("\(path) is not a map of settings", hint: "write lines such as 'store: /shared/assay'")
        }
        var values: [String: String] = [:]
        for (key, value) in mapping {
            let line = key.mark?.line ?? 0
            guard let name = key.scalar?.string, Self.variables[name] != nil else {
                throw UserError(
                    "\(path):\(line): unknown setting '\(key.scalar?.string ?? "")'",
                    hint: "known are \(Self.variables.keys.sorted().joined(separator: ", "))")
            }
            guard let scalar = value.scalar?.string else {
                throw UserError("\(path):\(line): '\(name)' must be a plain value", hint: nil)
            }
            values[name] = scalar
        }
        return values
    }
}
