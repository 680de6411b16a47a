import JSON
import Jinja
import Testing

@testable import Evaluation
@testable import LMEval

/// Chat templates give what transformers' Jinja gives.
@Suite struct ChatTemplateTests {
    @Test func textIsThatOfTransformers() throws {
        let fixture = try #require(Fixture.expected["chat_templates"])
        let variables = try #require(fixture["variables"])
        let cases = try #require(fixture["cases"]).items
        #expect(cases.count == 12)
        for item in cases {
            let source = try #require(item["template"]?.string)
            let text = try Template(source, dialect: .chat).render { variables[$0].map { Value($0) } }
            #expect(text == item["expected"]?.string, "\(source)")
        }
    }

    @Test(arguments: [
        ("{{ raise_exception('only ' ~ messages[0].role) }}", "only system"),
        ("{{ missing.member }}", "'missing' is undefined"), ("{{ strftime_now('%Y') }}", "can't be reproduced"),
        ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "nest too deep"),
        ("{% macro a(x) %}{% endmacro %}{{ a(1, 2) }}", "takes not more than 1 argument"),
        ("{% macro a(x) %}{% endmacro %}{{ a(y=2) }}", "takes no keyword argument 'y'"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}", "too much work"),
    ])
    func whatTemplatesRefuseIsSaid(source: String, message: String) throws {
        let template = try JinjaChatTemplate(source)
        let messages = [ChatMessage(.system, "s")]
        // A template that refuses a system's message is tried without it, so this error is the second one's.
        let error = #expect(throws: TaskError.self) { try template.render(messages, continuesLast: false) }
        #expect(
            error?.message.contains(source.contains("messages[0]") ? "fails" : message) == true,
            "\(error?.message ?? "")")
    }

    @Test func aSystemMessageGoesWhereTheTemplateRefusesIt() throws {
        let template = try JinjaChatTemplate(
            "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ messages[0].content }}"
        )
        #expect(try template.render([.init(.system, "s"), .init(.user, "u")], continuesLast: false) == "u")
        #expect(throws: TaskError.self) { try JinjaChatTemplate("{% if %}") }
    }

    /// What stands behind the message that goes on is cut off.
    @Test(arguments: [
        ("The answer is", "<The answer is"), ("The answer is ", "<The answer is"), ("  x\n", "<x"), ("a <a", "<a <a"),
    ])
    func theLastMessageGoesOn(message: String, expected: String) throws {
        let template = try JinjaChatTemplate("<{{ messages[-1].content | trim }}>\n")
        #expect(try template.render([.init(.assistant, message)], continuesLast: true) == expected)
        let deaf = try JinjaChatTemplate("nothing")
        #expect(throws: TaskError.self) { try deaf.render([.init(.assistant, message)], continuesLast: true) }
    }

    /// What transformers 5.24 gives; the beginning may be a part of what the template writes.
    @Test(arguments: [
        ("|", "<|im_start|>assistant\n|"), ("<", "<|im_start|>assistant\n<"), (" ", "<|im_start|>assistant\n "),
        ("  lead ", "<|im_start|>assistant\n  lead "), ("end|>", "<|im_start|>assistant\nend|>"),
    ])
    func anAnswerMayBeginLikeTheTemplate(beginning: String, expected: String) throws {
        let source = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        #expect(try JinjaChatTemplate(source).render([.init(.assistant, beginning)], continuesLast: true) == expected)
    }

    @Test func beginningOfTextIsNotDoubled() throws {
        let tokenizer = ToyTokenizer(addsPrefix: true)
        let encoder = try TextEncoder(tokenizer, TokenRules(), isChat: true)
        #expect(try encoder.encode(prompt: "<s>cat").first != 1)
        #expect(try encoder.encode(prompt: "cat").first == 1)
    }

    @Test func templatesSeeTheArgumentsOfAJob() throws {
        let source = "{{ enable_thinking }} {{ effort.level }} {{ bos_token }}{{ eos_token }}"
        let arguments = try JinjaChatTemplate.arguments(
            #"{"effort": {"level": 3}, "enable_thinking": true, "eos_token": "e"}"#, enablesThinking: false)
        let template = try JinjaChatTemplate(source, bos: "b", eos: "x", arguments: arguments)
        #expect(try template.render([], continuesLast: false) == "False 3 be")
        #expect(try JinjaChatTemplate.arguments(nil, enablesThinking: true) == #"{"enable_thinking":true}"#)
        #expect(try JinjaChatTemplate.arguments(nil, enablesThinking: nil) == nil)
        for broken in ["[]", "{", #"{"a": 1, "a": 2}"#] {
            let error = #expect(throws: TaskError.self) { try JinjaChatTemplate(source, arguments: broken) }
            #expect(error?.message.contains("arguments") == true)
        }
    }
}
