import Glibc
import Templates
import Testing
import Values

/// The other end of `oracle/`: outcomes of the cases in the file that `GANTRY_TEMPLATE_CASES` names, one JSON
/// value a line, go into the file `GANTRY_TEMPLATE_OUTCOMES`, line by line, so that a crash shows its case.
@Suite(.enabled("GANTRY_TEMPLATE_CASES names no file", { environment("GANTRY_TEMPLATE_CASES") != nil }))
struct ExchangeTests {
    @Test func outcomes() throws {
        let cases = try #require(environment("GANTRY_TEMPLATE_CASES"))
        let path = try #require(environment("GANTRY_TEMPLATE_OUTCOMES"))
        guard let out = unsafe fopen(path, "w") else { throw TemplateError("no file \(path)") }
        defer { unsafe fclose(out) }
        for line in try read(cases).split(separator: "\n") {
            let outcome = Exchange(try Value(json: String(line))).outcome()
            unsafe fputs(outcome.json(JSONStyle(asciiOnly: true)) + "\n", out)
            unsafe fflush(out)
        }
    }
}

private func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}

/// One case: `kind` (`>` native result, `?` condition, `|` text of a file), `text`, `variables`, `files`, `options`.
private struct Exchange {
    let request: Dict
    init(_ value: Value) { request = value.dict ?? [:] }

    func outcome() -> Value {
        let templater = Templater()
        let mark = Mark(isTemplate: true)
        let scope = Case.Variables(
            dict: (request["variables"]?.dict ?? [:]).mapValues { $0.mapText { Text($0.string, mark: mark) } },
            files: request["files"]?.dict ?? [:])
        let text = Text(request["text"]?.text ?? "", mark: mark)
        do throws(TemplateError) {
            let result: Value
            switch request["kind"]?.text {
            case "?": result = .bool(try templater.condition(text, in: scope))
            case "|": result = .string(Text(try templater.renderFile(text, options: options, in: scope)))
            default: result = try templater.render(text, in: scope)
            }
            return .dict(["value": result])
        } catch {
            return .dict(["error": .string(Text(error.told))])
        }
    }

    private var options: FileOptions {
        var options = FileOptions()
        let given = request["options"]?.dict ?? [:]
        for (name, path) in [
            ("block_start_string", \FileOptions.blockStart), ("block_end_string", \.blockEnd),
            ("variable_start_string", \.variableStart), ("variable_end_string", \.variableEnd),
            ("comment_start_string", \.commentStart), ("comment_end_string", \.commentEnd),
            ("newline_sequence", \.newline),
        ] {
            if let text = given[name]?.text { options[keyPath: path] = text }
        }
        options.trimBlocks = given["trim_blocks"]?.isTrue ?? options.trimBlocks
        options.lstripBlocks = given["lstrip_blocks"]?.isTrue ?? options.lstripBlocks
        options.keepTrailingNewline = given["keep_trailing_newline"]?.isTrue ?? options.keepTrailingNewline
        options.lineStatementPrefix = given["line_statement_prefix"]?.text
        options.lineCommentPrefix = given["line_comment_prefix"]?.text
        return options
    }
}
