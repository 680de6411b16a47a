import Foundation
import ProcessTesting
import Testing

/// What the documentation tells people to type is there.
@Suite struct DocumentationTests {
    private struct Mention: Hashable {
        var program: String
        var words: [String]
        var options: [String]
        var place: String
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Commands in code, in a line or in a block of its own.
    private static func mentions() throws -> [Mention] {
        var files = ["README.md"]
        for folder in [".docs", ".github"] {
            files += try FileManager.default.contentsOfDirectory(atPath: "\(Self.root)/\(folder)")
                .filter { $0.hasSuffix(".md") }.map { "\(folder)/\($0)" }
        }
        var mentions: [Mention] = []
        for file in files.sorted() {
            let text = try String(contentsOfFile: "\(Self.root)/\(file)", encoding: .utf8)
            var isBlock = false
            for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                if line.hasPrefix("```") {
                    isBlock.toggle()
                    continue
                }
                let codes = isBlock ? [String(line)] : line.matches(of: /`([^`]+)`/).map { String($0.1) }
                mentions += codes.compactMap { Self.mention(in: $0, "\(file):\(number + 1)") }
            }
        }
        return mentions
    }

    private static func mention(in code: String, _ place: String) -> Mention? {
        let line = code.prefix { $0 != "#" }.split { "|;&".contains($0) }.first ?? ""
        let words = line.split(separator: " ").map(String.init)
        guard let program = words.first, ["assay", "assay-worker", "assay-report"].contains(program) else { return nil }
        // What comes after the first argument is none of the command's name: arguments have capitals, dots, digits or marks.
        let name = words.dropFirst().prefix {
            $0.allSatisfy { $0.isASCII && ($0.isLowercase || $0 == "-") } && !$0.hasPrefix("-")
        }
        let options = words.filter { $0.hasPrefix("--") }.compactMap { word in
            word.firstMatch(of: /^--[a-z][a-z-]*/).map { String($0.0) }
        }
        return Mention(program: program, words: Array(name), options: options, place: place)
    }

    @Test func whatIsDocumentedIsThere() async throws {
        let mentions = try Self.mentions()
        #expect(mentions.count > 100)
        var helps: [[String]: String] = [:]
        for mention in mentions {
            // Of "retry demo" the last word is an argument: the longest name that there is counts.
            var words = mention.words
            var help: String?
            while help == nil {
                let key = [mention.program] + words
                if helps[key] == nil {
                    let bytes = try? await Command.run(
                        "\(Workbench.programs)/\(mention.program)",
                        mention.program == "assay" ? ["help"] + words : ["--help"])
                    helps[key] = bytes.map { String(decoding: $0, as: UTF8.self) } ?? ""
                }
                help = helps[key].flatMap { $0.isEmpty ? nil : $0 }
                if help == nil, words.isEmpty { break }
                if help == nil { words.removeLast() }
            }
            let isNamed = mention.words.isEmpty || !words.isEmpty
            #expect(
                isNamed,
                "\(mention.place): there is no command \(mention.program) \(mention.words.joined(separator: " "))")
            for option in mention.options {
                #expect(
                    help?.contains(option) == true,
                    "\(mention.place): \(mention.program) \(words.joined(separator: " ")) has no option \(option)")
            }
        }
    }
}
