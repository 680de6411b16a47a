internal import Mustache

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
