import HDF5

/// The groups of a result file and the attributes that make /samples a data frame for AnnData.
///
/// Encoding "dataframe" 0.2.0: https://anndata.readthedocs.io/en/stable/fileformat-prose.html
@HDF5Actor
enum Frame {
    private static let version = "0.2.0"

    /// Makes the groups that hold the columns of a schema.
    static func makeGroups(_ schema: ShardSchema, in root: borrowing Group) throws(HDF5Error) {
        let samples = try root.createGroup("samples")
        try samples.setAttribute("encoding-type", "dataframe")
        try samples.setAttribute("encoding-version", .text(version))
        try samples.setAttribute("_index", "_index")
        try samples.setAttribute("column-order", .texts(schema.columnOrder))
        let finishReason = try samples.createGroup("finish_reason")
        try finishReason.setAttribute("encoding-type", "categorical")
        try finishReason.setAttribute("encoding-version", .text(version))
        try finishReason.setAttribute("ordered", .flag(false))
        for name in schema.groups.dropFirst() {
            _ = try root.createGroup(name)
        }
    }

    /// Adds to a data set what readers need to know of it.
    static func annotate(_ dataSet: borrowing DataSet, as column: ColumnSpecification) throws(HDF5Error) {
        if column.groups.first == "samples" {
            try dataSet.setAttribute("encoding-type", column.kind == .strings ? "string-array" : "array")
            try dataSet.setAttribute("encoding-version", .text(version))
        }
        if column.name == "logprob" || column.name == "logprob_sum" {
            try dataSet.setAttribute("units", "nat")
        }
    }
}

extension ShardSchema {
    /// The groups of the root, /samples first.
    var groups: [String] {
        ["samples", "text"] + (self.hasChoices || self.hasGenerations || self.hasEpochs ? ["index"] : [])
            + (self.hasChoices ? ["choices"] : []) + (self.hasTokens ? ["tokens"] : [])
            + (self.hasGenerations ? ["generations"] : []) + (self.hasEpochs ? ["epochs"] : [])
    }
}
