internal import CLlamaCalls

/// Makes a call of llama.cpp, and answers with its value what it threw, if it threw.
func llamaCall<Value>(_ call: (inout cllama_failure) -> Value) -> (value: Value, failure: String?) {
    var failure = cllama_failure()
    let value = call(&failure)
    let text = withUnsafeBytes(of: &failure) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return (value, text.isEmpty ? nil : text)
}
