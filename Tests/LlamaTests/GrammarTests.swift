import Testing

@testable import Llama

@Suite struct GrammarTests {
    @Test func schemasBecomeGrammars() throws {
        let grammar = try Grammar(
            jsonSchema: #"{"type":"object","properties":{"answer":{"enum":["yes","no"]}},"required":["answer"]}"#)
        #expect(grammar.text.contains("root ::=") && grammar.text.contains("yes"))
    }

    @Test(arguments: [
        #"{"type": "objct"}"#, #"{"$ref": "https://example.com/schema.json"}"#, #"{"type": "string", "pattern": "(a"}"#,
        "{", "",
    ])
    func otherSchemasAreRefused(schema: String) {
        #expect(throws: LlamaError.self) { try Grammar(jsonSchema: schema) }
    }

    @Test(arguments: [
        "", "start ::= \"a\"", "root ::= root \"a\"", "root ::= other",
    ])
    func otherGrammarsAreRefused(text: String) {
        #expect(throws: LlamaError.self) { try Grammar(gbnf: text) }
    }
}
