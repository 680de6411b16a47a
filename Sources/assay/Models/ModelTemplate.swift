internal import Evaluation
internal import Inference
internal import JobQueue
internal import Llama
internal import Planning

/// The chat template that a model's file holds.
enum ModelTemplate {
    static func chat(_ model: ModelRecord) throws(PlanningError) -> JobSpecification.Chat {
        let source: String?
        let vocabulary: Vocabulary
        do {
            source = try GGUFFile(path: model.path).chatTemplate
            vocabulary = try LlamaTokenizer(modelPath: model.path).vocabulary
        } catch {
            throw PlanningError(
                .model, at: model.path, "the chat template of model '\(model.name)' can't be read: \(error)")
        }
        guard let source, !source.isEmpty else {
            throw PlanningError(
                .model, at: model.path,
                "model '\(model.name)' has no chat template; leave out chat_template, or take a model made for conversations"
            )
        }
        return JobSpecification.Chat(
            template: source, bos: vocabulary.beginningOfText.map(vocabulary.name) ?? "",
            eos: vocabulary.endOfText.map(vocabulary.name) ?? "")
    }
}
