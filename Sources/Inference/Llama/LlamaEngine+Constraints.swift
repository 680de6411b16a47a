public import Evaluation
internal import Llama

extension LlamaEngine {
    /// Why a constraint can't be followed; `nil` if it can.
    @Sendable public static func problem(_ constraint: TextConstraint) -> String? {
        do throws(LlamaError) {
            _ = try Grammar(constraint)
            return nil
        } catch {
            return error.message
        }
    }

    /// The grammars of texts, each checked before anything is computed.
    ///
    /// - Parameter askers: For each text, the requests that it answers.
    func grammars(
        of texts: [GenerationRequest], _ askers: [[Int]]
    ) throws(EngineError) -> [TextConstraint: Grammar] {
        var grammars: [TextConstraint: Grammar] = [:]
        for (text, request) in texts.enumerated() {
            guard let constraint = request.constraint, grammars[constraint] == nil else { continue }
            do throws(LlamaError) {
                let grammar = try Grammar(constraint)
                _ = try GrammarMatcher(grammar, vocabulary: self.model.vocabulary)
                grammars[constraint] = grammar
            } catch {
                throw EngineError(
                    .invalidRequest, "\(constraint.key): \(error.message)", requestIndex: askers[text].first)
            }
        }
        return grammars
    }
}

extension Grammar {
    fileprivate init(_ constraint: TextConstraint) throws(LlamaError) {
        switch constraint {
        case .grammar(let text): try self.init(gbnf: text)
        case .jsonSchema(let schema): try self.init(jsonSchema: schema)
        }
    }
}
