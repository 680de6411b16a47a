import Foundation
import Jinja
import ProcessTesting
import Testing

/// The same as Jinja2 3.1.6 in Python: the same text, or an error of the same kind.
@Suite(.timeLimit(.minutes(30))) struct JinjaTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    /// Fixtures/expressions.py has the templates, and Fixtures/oracle.py asked Jinja2 what they give.
    @Test func templatesGiveWhatJinja2Gives() throws {
        let text = try String(contentsOf: Self.folder.appendingPathComponent("expected.json"), encoding: .utf8)
        let fixture = try #require(JSONReader.value(text))
        guard case .list(let shared)? = fixture["variables"], case .list(let list)? = fixture["cases"] else {
            Issue.record("expected.json has another form")
            return
        }
        let cases = list.items.compactMap { Case($0, shared.items) }
        #expect(cases.count == list.items.count && cases.count > 1900)
        for difference in Case.differences(cases, isStrict: true) { Issue.record("\(difference)") }
    }

    /// What a live Python answers; one program writes the cases, a JSON object a line.
    private static func ask(_ arguments: [String]) async throws -> [Case] {
        let script = Self.folder.appendingPathComponent("oracle.py").path
        return Case.lines(String(decoding: try await Python.run(script, arguments), as: UTF8.self))
    }

    /// Whether there is a Python that gives the answers; another version of one of the two gives others.
    private static func canAsk() async -> Bool {
        await Python.confirms(
            "(jinja2.__version__, *sys.version_info[:2]) == ('3.1.6', 3, 11)", importing: "jinja2")
    }

    /// 20,000 random templates; another seed for each release finds more.
    @Test(
        .enabled("no Python 3.11 with jinja2 3.1.6; infra/test makes one") { await Self.canAsk() },
        arguments: 1...10)
    func randomTemplatesGiveWhatJinja2Gives(seed: Int) async throws {
        let cases = try await Self.ask(["fuzz", "assay-\(seed)", "2000"])
        #expect(cases.count == 2000)
        let differences = Case.differences(cases)
        #expect(differences.isEmpty, "seed assay-\(seed): \(differences.prefix(5).joined(separator: "\n"))")
    }

    /// The sources of llama-cpp-python, which infra/llama downloaded and which hold models' chat templates.
    private static let chatTemplates: String? = {
        let cache = Inputs.cache
        let files = FileManager.default.enumerator(atPath: cache + "/downloads")?.compactMap { $0 as? String } ?? []
        return files.filter { $0.contains("/llama_cpp_python-") && $0.hasSuffix(".tar.gz") }.sorted().last.map {
            cache + "/downloads/" + $0
        }
    }()

    /// Models' own templates over conversations of every form, as transformers renders them.
    @Test(
        .enabled("no Python 3.11 with jinja2 3.1.6, or no llama.cpp; infra/test makes both") {
            await Self.canAsk() && Self.chatTemplates != nil
        })
    func chatTemplatesGiveWhatTransformersGives() async throws {
        let cases = try await Self.ask(["chat", "5", try #require(Self.chatTemplates)])
        #expect(Set(cases.map(\.template)).count >= 100)
        #expect(cases.count >= 5000)
        let differences = Case.differences(cases, isStrict: true)
        #expect(differences.isEmpty, "\(differences.count): \(differences.prefix(5).joined(separator: "\n"))")
        #expect(cases.count { $0.text != nil } > cases.count / 2)
    }
}
