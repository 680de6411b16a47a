extension ConfigurationNode {
    /// A task that names a Python class, with the keys that say what the class does; its own keys win.
    func expandingClass() throws(TaskError) -> ConfigurationNode {
        guard case .mapping(var members) = self.content,
            let index = members.firstIndex(where: { $0.key == "class" }),
            case .function(let reference) = members[index].node.content
        else { return self }
        let place = members.remove(at: index).place
        let function = try NativeFunction.named(reference, at: place)
        guard let yaml = NativeFunction.classes[function.name] else {
            throw place.error(.unsupported, "!function \(reference) is no class of a task")
        }
        let others = try ConfigurationNode(yaml: yaml, file: self.place.file)
        guard case .mapping(let others) = others.content else { return self }
        members += others.filter { other in !members.contains { $0.key == other.key } }
        return ConfigurationNode(.mapping(members), place: self.place)
    }
}

extension NativeFunction {
    /// Classes of tasks, and what they do in the words of a task file.
    static let classes = [
        "squad_completion.task.SQUADCompletion": """
        dataset_path: hazyresearch/based-squad
        dataset_name: default
        output_type: generate_until
        validation_split: validation
        doc_to_text: !function squad_completion.task.SQUADCompletion.doc_to_text
        doc_to_target: !function squad_completion.task.SQUADCompletion.doc_to_target
        process_results: !function squad_completion.task.SQUADCompletion.process_results
        generation_kwargs: {until: ["\\n"], max_gen_toks: 48}
        metric_list:
          - {metric: contains, aggregation: mean, higher_is_better: true}
        metadata: {version: 1}
        """,
        "squadv2.task.SQuAD2": """
        dataset_path: lighteval/squad_v2
        output_type: generate_until
        training_split: train
        validation_split: validation
        doc_to_text: !function squadv2.task.SQuAD2.doc_to_text
        doc_to_target: !function squadv2.task.SQuAD2.doc_to_target
        process_results: !function squadv2.task.SQuAD2.process_results
        generation_kwargs: {until: ["\\n"]}
        should_decontaminate: true
        doc_to_decontamination_query: context
        metric_list:
          - {metric: exact, aggregation: mean}
          - {metric: f1, aggregation: mean}
          - {metric: HasAns_exact, aggregation: weighted_mean}
          - {metric: HasAns_f1, aggregation: weighted_mean}
          - {metric: NoAns_exact, aggregation: weighted_mean}
          - {metric: NoAns_f1, aggregation: weighted_mean}
          - {metric: best_exact, aggregation: best_threshold}
          - {metric: best_f1, aggregation: best_threshold}
        metadata: {version: 3}
        """,
    ]
}
