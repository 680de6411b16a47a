import AssayRuntime
import Foundation
import Testing

@Suite struct SettingsTests {
    private func folder(_ yaml: String?) throws -> String {
        let folder = NSTemporaryDirectory() + "assay-settings-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try yaml?.write(toFile: "\(folder)/assay.yaml", atomically: true, encoding: .utf8)
        return folder
    }

    @Test func flagsBeatTheEnvironmentWhichBeatsTheFileWhichBeatsTheDefaults() throws {
        let folder = try folder("store: /from/file\nhome: /from/file\nlog: info\n")
        let settings = try Settings(
            flags: ["store": "/from/flag"], environment: ["ASSAY_STORE": "/from/env", "ASSAY_HOME": "/from/env"],
            folder: folder)
        #expect(settings.store == Setting("/from/flag", .flag))
        #expect(settings.home == Setting("/from/env", .environment))
        #expect(settings.logLevel == Setting("info", .file))
        #expect(settings.logFormat == Setting("text", .default))
        #expect(settings.databaseURL == nil)
    }

    @Test func relativePathsStartAtTheFolderAndTheStoreLiesInTheHome() throws {
        let folder = try folder(nil)
        let settings = try Settings(flags: ["home": "here"], environment: [:], folder: folder)
        #expect(settings.home.value == "\(folder)/here")
        #expect(settings.store == Setting("\(folder)/here/store", .default))
    }

    @Test(arguments: [
        ("stor: /x\n", ":1: unknown setting 'stor'"), ("home: [a]\n", "must be a plain value"),
        ("- a\n", "is not a map"), ("home: 'x\n", "can't be read"), ("log_format: xml\n", "log format 'xml'"),
    ])
    func aBadFileIsNamed(_ yaml: String, _ message: String) throws {
        let folder = try folder(yaml)
        let failure = #expect(throws: UserError.self) {
            try Settings(flags: [:], environment: [:], folder: folder)
        }
        #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
    }
}
