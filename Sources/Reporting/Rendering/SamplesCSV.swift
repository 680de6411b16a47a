internal import Evaluation

/// A job's samples as comma-separated values (RFC 4180, lines ended by LF), every number exact.
enum SamplesCSV {
    static func render(_ job: JobInput) -> String {
        // As in the HDF5 files, whose index is the sample id.
        let hasClusters = job.samples.contains { $0.cluster != nil }
        var header = ["sample_id", "target", "prediction"] + (hasClusters ? ["cluster"] : [])
        for metric in job.metrics {
            header.append(metric.name)
            if metric.aggregation.isWeighted { header.append("\(metric.name)_weight") }
            header += metric.aggregation.terms.map { "\(metric.name):\($0)" }
        }
        header += ["finish_reason", "n_prompt", "n_generated", "is_truncated", "is_unparsed"]

        var text = Self.line(header)
        for sample in job.samples {
            var fields = [sample.sampleID, sample.target, sample.prediction]
            if hasClusters { fields.append(sample.cluster ?? "") }
            for (index, metric) in job.metrics.enumerated() {
                fields.append(sample.values[index].description)
                if metric.aggregation.isWeighted { fields.append(sample.weights[index].description) }
                fields += sample.terms[index].map(\.description)
            }
            fields += [
                sample.finishReason ?? "", String(sample.promptTokens), String(sample.generatedTokens),
                sample.isTruncated ? "1" : "0", sample.isUnparsed ? "1" : "0",
            ]
            text += Self.line(fields)
        }
        return text
    }

    private static func line(_ fields: [String]) -> String {
        fields.map(Self.field).joined(separator: ",") + "\n"
    }

    private static func field(_ text: String) -> String {
        let needsQuotes = text.utf8.contains { byte in
            byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte < 0x20
        }
        guard needsQuotes || text.hasPrefix(" ") || text.hasSuffix(" ") else { return text }
        // By scalars: to Swift, a quote with a combining mark behind it is another character.
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { quoted.unicodeScalars.append("\"") }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}

extension Aggregation {
    /// Whether the score is a quotient of values and weights.
    var isWeighted: Bool { self == .weightedMean || self == .weightedPerplexity || self == .bitsPerByte }
}
