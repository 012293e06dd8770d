import Values

/// The `#jinja2:` line at the start of a template.
enum Header {
    /// The text behind the header, and the options that it changes.
    static func split(_ text: Text, _ options: FileOptions) throws(TemplateError) -> (String, FileOptions) {
        guard text.string.hasPrefix("#jinja2:") else { return (text.string, options) }
        let scalars = text.string.unicodeScalars
        guard let end = scalars.firstIndex(of: "\n") else {
            throw failure(text, "a '#jinja2:' header needs a line of its own")
        }
        var result = options
        let line = String(scalars[..<end]).dropFirst(8)
        for pair in line.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = pair.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw failure(
                    text, "expected 'option: value' in the '#jinja2:' header, got '\(pair)'",
                    words: "Missing key-value separator `:` in '#jinja2:' override pair '\(pair)'.")
            }
            try set(StringMethods.strip(String(parts[0])), StringMethods.strip(String(parts[1])), &result, text)
        }
        return (String(scalars[scalars.index(after: end)...]), result)
    }

    private static func failure(
        _ text: Text, _ message: String, hint: String? = nil, words: String? = nil
    ) -> TemplateError {
        var error = TemplateError(Diagnostic(message, at: text.place, hint: hint))
        error.words = words
        return error
    }

    private static let texts: [String: any WritableKeyPath<FileOptions, String> & Sendable] = [
        "block_start_string": \.blockStart, "block_end_string": \.blockEnd,
        "variable_start_string": \.variableStart, "variable_end_string": \.variableEnd,
        "comment_start_string": \.commentStart, "comment_end_string": \.commentEnd, "newline_sequence": \.newline,
    ]
    private static let flags: [String: any WritableKeyPath<FileOptions, Bool> & Sendable] = [
        "trim_blocks": \.trimBlocks, "lstrip_blocks": \.lstripBlocks, "keep_trailing_newline": \.keepTrailingNewline,
    ]

    private static func set(
        _ name: String, _ value: String, _ options: inout FileOptions, _ text: Text
    ) throws(TemplateError) {
        var string: String?
        if value.count >= 2, let quote = value.first, quote == "'" || quote == "\"", value.last == quote {
            string = Escapes.decoded(String(value.dropFirst().dropLast()))
        }
        if let path = texts[name] {
            guard let string, !string.isEmpty else {
                throw failure(text, "'\(name)' takes a quoted text, got \(value)")
            }
            options[keyPath: path] = string
        } else if let path = flags[name] {
            guard value == "True" || value == "False" else {
                throw failure(text, "'\(name)' takes True or False, got \(value)")
            }
            options[keyPath: path] = value == "True"
        } else if name == "line_statement_prefix" {
            options.lineStatementPrefix = string
        } else if name == "line_comment_prefix" {
            options.lineCommentPrefix = string
        } else {
            let known = Array(texts.keys) + Array(flags.keys) + ["line_statement_prefix", "line_comment_prefix"]
            let hint = suggestion(for: name, among: known)
            throw failure(text, "'\(name)' is no option of a '#jinja2:' header", hint: hint)
        }
    }
}
