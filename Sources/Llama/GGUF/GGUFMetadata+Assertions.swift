extension GGUFMetadata {
    /// Refuses what llama.cpp answers by aborting the process, instead of an error, whatever the architecture.
    func checkAssertions(architecture: String, layers: Int) throws(LlamaError) {
        let predicted = self.integer("\(architecture).nextn_predict_layers") ?? 0
        try self.require(
            0...layers ~= predicted, "\(architecture).nextn_predict_layers is \(predicted) of \(layers) layers")

        if let scaling = self["\(architecture).rope.scaling.type"] {
            let known: [GGUFValue] = ["none", "linear", "yarn", "longrope"].map { .string($0) }
            try self.require(known.contains(scaling), "\(architecture).rope.scaling.type is unknown")
        }
        for name in ["layer_norm_epsilon", "layer_norm_rms_epsilon", "group_norm_epsilon"] {
            guard case .real(let epsilon)? = self["\(architecture).attention.\(name)"] else { continue }
            try self.require(epsilon >= 0, "\(architecture).attention.\(name) is \(epsilon)")
        }
        guard self["\(architecture).attention.causal"] != .boolean(false) else {
            throw LlamaError(
                .unsupported,
                "\(self.path): tokens see what comes after them (\(architecture).attention.causal is false); only decoders "
                    + "are supported")
        }
        try self.checkExperts(architecture: architecture, layers: layers)
    }

    private func checkExperts(architecture: String, layers: Int) throws(LlamaError) {
        let experts = self.integer("\(architecture).expert_count") ?? 0
        let usedValue = self["\(architecture).expert_used_count"]
        let usedPerLayer = ModelShape.perLayer(usedValue, layers: layers)
        try self.require(
            usedValue == nil || usedPerLayer != nil, "\(architecture).expert_used_count is no number for each layer")
        let used = usedPerLayer?.max() ?? 0
        let groups = self.integer("\(architecture).expert_group_count") ?? 0
        let usedGroups = self.integer("\(architecture).expert_group_used_count") ?? 0
        guard experts != 0 else {
            return try self.require(used == 0 && groups == 0, "there are no experts, yet \(used) are used")
        }
        try self.require(1...1024 ~= experts && 1...experts ~= used, "\(used) of \(experts) experts are used")
        try self.require(0..<experts ~= groups, "\(experts) experts form \(groups) groups")
        guard groups > 1 else { return }
        try self.require(
            experts % groups == 0 && 1..<groups ~= usedGroups,
            "\(usedGroups) of \(groups) groups of \(experts) experts are used")
    }

    private func require(_ isSound: Bool, _ finding: String) throws(LlamaError) {
        guard isSound else { throw LlamaError(.malformedFile, "\(self.path): is damaged: \(finding)") }
    }
}
