internal import Crypto

extension NativeFunction {
    /// Modules of lm-eval 0.4.13 by the sha256 of their files: a file that differs may do something else.
    private static let modules = [
        "07d23b60b28f2a4f658dcf8440623a63fe6644854ce9b846a114dde980dc1214": "hellaswag.utils",
        "1ab8f14808c826f93f2364883487ed63cf4267980bf4761fda8053899c013632": "ifeval.utils",
        "5f77adbf75b4342a6113fea30168ea57b4e5c3877ffd3b4942cb338b3edb2c95": "humaneval.utils",
        "92a917c531f41fa2f63b1a10c9ef989ff191a1c72f58350fe6933e20c29e14b2": "squad_completion.task",
        "a44020374b172159bf5be80a64d2c4194c9d5c77284f696ac666361338c8da7d": "wikitext.preprocess_wikitext",
        "a5782ee7d2e537968a5b83976195ae2b9b6e2a565a0bfb5c24d221b4d61a04f5": "drop.utils",
        "b9879cbee0966b35896f4d7f0d374d0c4f720d12d6dc79881496d3a0d68669e3": "mmlu-pro-plus.utils",
        "c0ce848b3d9792d6a701bf292bad8efad7f4621ae1efdb305e70ee82ab90e9b7": "squadv2.task",
        "d3c827d1e2cd442a1e4738b527a18effd48cbb2aed478c12a652311b5ea4dbc8": "truthfulqa.utils",
        "d47eae06ecf1e9535b033394de62185327a1dca977cb29049003699adeb92801": "mmlu_pro.utils",
        "e55327629264a98f1d383fda24645b6779afb53fa0bce2150042b9416b1ae006": "winogrande.preprocess_winogrande",
        "ecc017c5c3c0a03757d94072fb74feac74406b63d2f6efa6ec68f73f8db8a9fd": "bbh.utils",
    ]

    /// What modules import from beside them, and do most of their work in.
    private static let companions = [
        "ifeval.utils": [
            "instructions.py": "511cc41a53787d818c292d8335c8e98aa833296a0789ac470db56bcd6496345e",
            "instructions_registry.py": "9db1c062cdb70a91420d3789a588235a1064c2b9a1a66e09e5fb9df9e7584a6c",
            "instructions_util.py": "e8c4d9187bac1482d93941fb46469609c3ae78d896195bfcb300a0707d492567",
        ]
    ]

    /// The function that `!function reference` names in a task file.
    ///
    /// Where the module's file stands beside the task file it must be lm-eval's own; where it does not, the name must say the
    /// folder too, as in `hellaswag.utils.process_docs`.
    /// - Throws: `TaskError` with the place and what to write instead.
    static func named(_ reference: String, at place: ConfigurationNode.Place) throws(TaskError) -> NativeFunction {
        let advice = "Assay runs no Python: write a Jinja template, or prepare the data file"
        guard let dot = reference.lastIndex(of: ".") else {
            throw place.error(.unsupported, "!function \(reference) names no module; \(advice)")
        }
        let module = reference[..<dot]
        let file = sibling(module.replacing(".", with: "/") + ".py", of: place.file)
        let name: String
        if let bytes = try? readFile(file, limit: 4 << 20) {
            guard let known = Self.modules[SHA256.hash(data: bytes).hexadecimal] else {
                throw place.error(
                    .unsupported,
                    "!function \(reference): \(file) is none of the files of lm-eval 0.4.13 whose functions are built in; "
                        + advice)
            }
            for (companion, hash) in (Self.companions[known] ?? [:]).sorted(by: { $0.key < $1.key }) {
                let path = sibling(companion, of: file)
                guard let bytes = try? readFile(path, limit: 4 << 20),
                    SHA256.hash(data: bytes).hexadecimal == hash
                else {
                    throw place.error(
                        .unsupported,
                        "!function \(reference): \(path), which it imports, is missing or not that of lm-eval 0.4.13; "
                            + advice)
                }
            }
            name = known + reference[dot...]
        } else {
            name = reference
        }
        guard let function = NativeFunction(name: name) else {
            throw place.error(.unsupported, "!function \(reference): this function is not built in; \(advice)")
        }
        return function
    }
}
