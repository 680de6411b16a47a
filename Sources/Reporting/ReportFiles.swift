internal import Evaluation
internal import JSON
internal import Mustache

/// The files of a report's version, in memory: report.json, report.md, report.html, the samples and manifest.json.
public struct ReportFiles: Sendable, Hashable {
    /// What the files show.
    public let report: Report
    public let manifest: ReportManifest
    /// Name to content, manifest.json included.
    public let contents: [String: [UInt8]]

    /// Renders every file of the report on `input`; the same input gives the same bytes.
    ///
    /// - Parameter toolVersion: The version of the program that builds, which is part of the report.
    public init(_ input: ReportInput, name: ReportName, toolVersion: String) throws(ReportError) {
        let report = try Report(input, name: name, toolVersion: toolVersion)
        let view = ReportView(report)
        var contents: [String: [UInt8]] = [
            "report.json": Array(report.json.text(.indented).utf8),
            "report.md": Array(try Templates.markdown(view).utf8),
            "report.html": Array(try Templates.html(view).utf8),
        ]
        for (job, file) in zip(input.jobs, SampleFileNames.assign(input.jobs)) {
            contents[file] = Array(SamplesCSV.render(job).utf8)
        }
        let manifest = ReportManifest(report, contents: contents)
        contents[ReportManifest.fileName] = Array(manifest.json.text(.indented).utf8)
        self.report = report
        self.manifest = manifest
        self.contents = contents
    }
}

/// A job's samples as comma-separated values (RFC 4180, lines ended by LF), every number exact.
enum SamplesCSV {
    static func render(_ job: JobInput) -> String {
        // As in the HDF5 files, whose index is the sample id.
        let hasClusters = job.samples.clusters.contains { $0 != nil }
        var header = ["sample_id", "target", "prediction"] + (hasClusters ? ["cluster"] : [])
        for metric in job.metrics {
            header.append(metric.name)
            if metric.aggregation.isWeighted { header.append("\(metric.name)_weight") }
            header += metric.aggregation.terms.map { "\(metric.name):\($0)" }
        }
        header += ["finish_reason", "n_prompt", "n_generated", "is_truncated", "is_unparsed"]

        var text = Self.line(header)
        let samples = job.samples
        for row in 0..<samples.count {
            var fields = [samples.sampleIDs[row], samples.targets[row], samples.predictions[row]]
            if hasClusters { fields.append(samples.clusters[row] ?? "") }
            for (metric, column) in zip(job.metrics, samples.metrics) {
                fields.append(column.values[row].description)
                if metric.aggregation.isWeighted { fields.append(column.weights[row].description) }
                fields += column.terms.map { $0[row].description }
            }
            fields += [
                samples.finishReasons[row] ?? "", String(samples.promptTokens[row]),
                String(samples.generatedTokens[row]), samples.isTruncated[row] ? "1" : "0",
                samples.isUnparsed[row] ? "1" : "0",
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

/// The templates that the report's texts are made with.
enum Templates {
    static func html(_ view: ReportView) throws(ReportError) -> String { try Self.render(view, "report.html") }

    static func markdown(_ view: ReportView) throws(ReportError) -> String { try Self.render(view, "report.md") }

    private static func render(_ view: ReportView, _ name: String) throws(ReportError) -> String {
        guard let text = try Self.library.get().render(view, withTemplate: name) else {
            throw ReportError(.malformed, "there is no template \(name)")
        }
        return text
    }

    private static let library: Result<MustacheLibrary, ReportError> = {
        MustacheContentTypes.register(HTMLText(), named: "ASSAY_HTML")
        MustacheContentTypes.register(MarkdownText(), named: "ASSAY_MARKDOWN")
        do {
            var library = MustacheLibrary()
            try library.register(Self.text(PackageResources.report_html_mustache), named: "report.html")
            try library.register(Self.text(PackageResources.report_md_mustache), named: "report.md")
            try library.register(Self.text(PackageResources.plot_svg_mustache), named: "plot")
            try library.register(Self.text(PackageResources.report_css), named: "css")
            return .success(library)
        } catch {
            return .failure(ReportError(.malformed, "a template of the report is broken: \(error)"))
        }
    }()

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

/// Text in HTML, between tags or in a quoted attribute.
///
/// By scalars, since a browser reads scalars: to Swift, and so to Mustache's own escaping, a quote with a combining mark
/// behind it is another character than a quote.
struct HTMLText: MustacheContentType {
    func escapeText(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
            case "'": result.append(contentsOf: "&#39;".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}

/// Text in a line of Markdown (CommonMark with tables), shown as it is.
struct MarkdownText: MustacheContentType {
    func escapeText(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        let scalars = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            switch scalar {
            case "\\", "`", "*", "[", "]", "|", "~", "#": result.append(contentsOf: ["\\", scalar])
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            // Within a word an underscore is only itself.
            case "_" where !(Self.isWord(scalars, index - 1) && Self.isWord(scalars, index + 1)):
                result.append(contentsOf: ["\\", scalar])
            case "\n", "\r": result.append(" ")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    private static func isWord(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
        scalars.indices.contains(index)
            && (scalars[index].properties.isAlphabetic || scalars[index].properties.numericType != nil)
    }
}
