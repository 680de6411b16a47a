import OrderedCollections
import Testing

@testable import Evaluation

@Suite struct ConstraintTests {
    @Test func constraintsAreReadAndHashed() throws {
        let grammar = try Answering.task("generation_kwargs: {grammar: 'root ::= \"yes\" | \"no\"'}")
        #expect(grammar.configuration.generation?.constraint == .grammar(#"root ::= "yes" | "no""#))
        let schema = try Answering.task(
            "generation_kwargs: {json_schema: {type: object, properties: {b: {type: integer}, a: {type: string}}}}")
        let expected = #"{"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"string"}}}"#
        guard case .jsonSchema(let text) = schema.configuration.generation?.constraint else {
            Issue.record("no schema")
            return
        }
        // The canonical JSON sorts keys; a schema's are without order.
        #expect(text.contains(#""properties":{"#) && text.utf8.count == expected.utf8.count)
        #expect(grammar.taskHash != schema.taskHash)
        let row = Document(row: 0, value: .object(["q": .string("Q"), "a": .string("A")]))
        guard case .generate(_, _, _, _, let constraint) = try schema.prepare(row).requests[0] else { return }
        #expect(constraint == schema.configuration.generation?.constraint)
    }

    @Test(arguments: [
        ("{grammar: 3}", "GBNF"), ("{json_schema: text}", "a JSON schema"),
        ("{grammar: 'root ::= x', json_schema: {}}", "keep one of them"),
        ("{grammar: '\(String(repeating: "(", count: 65))'}", "more than 64 deep"),
        ("{grammar: '\(String(repeating: "a ::= b ", count: 1001))'}", "more than 1000 rules"),
        ("{grammar: '\(String(repeating: "a", count: 70_000))'}", "65536 bytes"),
        (
            "{json_schema: \(String(repeating: "{a: ", count: 40))1\(String(repeating: "}", count: 40))}",
            "more than 32 deep"
        ),
        ("{json_schema: {enum: [\((0...200).map { "a\($0)" }.joined(separator: ", "))]}}", "more than 200 members"),
        ("{json_schema: {pattern: '\(String(repeating: "a", count: 1001))'}}", "more than 1000 bytes"),
    ])
    func hugeConstraintsAreRefused(value: String, hint: String) {
        let error = #expect(throws: TaskError.self) { try Answering.task("generation_kwargs: " + value) }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }
}
