import JSON
import LMEval
import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation

@Suite struct ConstraintTests {
    @Test func constraintsAreReadAndHashed() throws {
        let grammar = try Answering.task("generation_kwargs: {grammar: 'root ::= \"yes\" | \"no\"'}")
        #expect(grammar.configuration.generation?.constraint == .grammar(#"root ::= "yes" | "no""#))
        let schema = try Answering.task(
            "generation_kwargs: {json_schema: {type: object, properties: {b: {type: integer}, a: {type: string}}}}")
        // In the order of the file, in which they are generated.
        #expect(
            schema.configuration.generation?.constraint
                == .jsonSchema(
                    #"{"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"string"}}}"#))
        let text = try Answering.task(#"generation_kwargs: {json_schema: '{"type": "integer", "minimum": 1}'}"#)
        #expect(text.configuration.generation?.constraint == .jsonSchema(#"{"type":"integer","minimum":1}"#))
        #expect(grammar.taskHash != schema.taskHash)
        let row = Document(row: 0, value: .object(["q": .string("Q"), "a": .string("A")]))
        guard case .generate(_, _, _, _, let constraint) = try schema.prepare(row).requests[0] else { return }
        #expect(constraint == schema.configuration.generation?.constraint)
    }

    @Test(arguments: [
        ("{grammar: 3}", "GBNF"), ("{json_schema: text}", "is no JSON"), ("{json_schema: '[]'}", "a JSON schema"),
        ("{json_schema: {type: array, uniqueItems: true}}", "uniqueItems (true) would not be followed"),
        ("{json_schema: {properties: {a: {type: number, minimum: 1}}}}", "minimum (1)"),
        ("{json_schema: {anyOf: [{type: string, format: email}]}}", "format"),
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
