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

    /// llama.cpp throws, or ends the process, over a token that does not follow.
    @Test func aTokenThatIsNotAllowedIsAnErrorNotAnAbort() async {
        await #expect(processExitsWith: .success) {
            let vocabulary = try LlamaModel(path: tinyModelPath, vocabularyOnly: true).vocabulary
            let matcher = try GrammarMatcher(try Grammar(gbnf: #"root ::= "ab""#), vocabulary: vocabulary)
            let letters = try vocabulary.tokenize("ab", addSpecial: false)
            // The end, another letter, and ids that do not exist.
            for token in try [0, vocabulary.tokenize("x", addSpecial: false)[0], -1, 318, .max] {
                #expect(try llamaError { try matcher.accept(token) }?.code == .limitExceeded)
            }
            for letter in letters { try matcher.accept(letter) }
            #expect(matcher.allows(0))
            #expect(try llamaError { try matcher.accept(letters[0]) }?.code == .limitExceeded)
            try matcher.accept(0)
        }
    }
}
