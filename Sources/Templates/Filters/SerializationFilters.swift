import Values
import YAML

extension Filters {
    /// A surrogate without its other half is no character: refused, or a question mark.
    private static func fromJSON(_ text: String, _ c: FilterCall) throws(TemplateError) -> Value {
        let read: (value: Value, lone: LoneSurrogate?)
        do throws(JSONError) { read = try Value.read(json: text, replacement: "?") } catch {
            let words = "The filter plugin 'ansible.builtin.from_json' failed: \(error)"
            throw TemplateError("this is not JSON: \(error)", words: words)
        }
        guard let lone = read.lone, !c.evaluator.templater.allowsSurrogates else { return read.value }
        throw TemplateError(
            "Refusing to deserialize an invalid UTF8 string value: 'utf-8' codec can't encode character "
                + "'\\u\(String(lone.unit, radix: 16))' in position \(lone.position): surrogates not allowed",
            hint: "'module_strict_utf8_response = false' takes it, with a question mark in its place")
    }

    static func addSerialization(_ table: inout FilterTable) {
        table.add("to_json", isOpen: true) { (c) throws(TemplateError) in .string(try json(c, nil)) }
        table.add("to_nice_json", isOpen: true) { (c) throws(TemplateError) in .string(try json(c, 4)) }
        table.add("tojson", parameters: ["indent"]) { (c) throws(TemplateError) in
            let indent = try c[0].flatMap { $0.isNull ? nil : $0 }.map { (datum) throws(TemplateError) in
                guard let int = datum.int else {
                    throw TemplateError("can't multiply sequence by non-int of type '\(datum.typeName)'")
                }
                return int
            }
            try c.evaluator.countOutput(max(0, indent ?? 0))
            let text = try c.evaluator.value(of: c.value).json(JSONStyle(indent: indent, sortKeys: true))
            let safe = [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("'", "\\u0027")]
            return .string(safe.reduce(text) { StringMethods.replace($0, $1.0, $1.1) })
        }
        table.add("from_json", isOpen: true) { (c) throws(TemplateError) in
            guard case .string(let text) = c.value else {
                throw TemplateError("the JSON object must be str, bytes or bytearray, not \(c.value.typeName)")
            }
            let named = c.call.named.first { $0.name == "profile" }?.value ?? c.call.positional.first
            let profile = try JSONProfile(named?.text ?? "tagless")
            return .raw(try profile.decoded(try fromJSON(text.string, c), of: text))
        }
        table.add("to_yaml", isOpen: true) { (c) throws(TemplateError) in
            .string(try yamlText(c, 2, flow: nil))
        }
        table.add("to_nice_yaml", isOpen: true) { (c) throws(TemplateError) in
            .string(try yamlText(c, 4, flow: false))
        }
        table.add("from_yaml") { (c) throws(TemplateError) in
            guard case .string = c.value else { return c.value }
            let documents = try yaml(c)
            if documents.count > 1 { throw TemplateError("expected a single document in the stream, found another") }
            return documents.first.map { .raw($0) } ?? .null
        }
        table.add("from_yaml_all") { (c) throws(TemplateError) in
            if c.value.isNull { return .list([]) }
            guard case .string = c.value else { return c.value }
            return .list(try yaml(c).map { .raw($0) })
        }
    }

    private static func yaml(_ c: FilterCall) throws(TemplateError) -> [Value] {
        guard case .string(let text) = c.value else { return [] }
        do throws(Diagnostic) {
            return try YAMLReader.values(text.string, name: "the text given to \(c.call.name)").map(\.untrusted)
        } catch {
            // The place is one of the text, which is no file; the template's place is what helps.
            throw TemplateError("this is not YAML: \(error.message)\(error.place.map { " (line \($0.line))" } ?? "")")
        }
    }

    private static func json(_ c: FilterCall, _ indent: Int?) throws(TemplateError) -> String {
        var style = JSONStyle(indent: indent, sortKeys: indent != nil)
        if indent != nil, let first = c.call.positional.first { style.indent = first.int }
        for (name, value) in c.call.named {
            switch name {
            case "indent":
                style.indent = value.int ?? value.text.map(\.count)
                try c.evaluator.countOutput(max(0, style.indent ?? 0))
            case "sort_keys": style.sortKeys = try c.evaluator.isTrue(value)
            case "ensure_ascii": style.asciiOnly = try c.evaluator.isTrue(value)
            case "separators":
                let parts = try c.evaluator.items(of: value)
                style.compact = parts.count == 2 && parts[0].text == "," && parts[1].text == ":"
            case "vault_to_text", "preprocess_unsafe", "profile", "default", "skipkeys", "allow_nan", "check_circular":
                break
            default: throw TemplateError("'\(c.call.name)' has no argument '\(name)'")
            }
        }
        return try c.evaluator.value(of: listed(c.value, c.evaluator)).json(style)
    }

    /// JSON has lists in the place of ranges.
    private static func listed(_ datum: Datum, _ evaluator: Evaluator) throws(TemplateError) -> Datum {
        func all(_ items: [Datum]) throws(TemplateError) -> [Datum] {
            try items.mapThrowing { (item) throws(TemplateError) in try listed(item, evaluator) }
        }
        switch datum {
        case .list(let box): return .list(try all(box.items))
        case .tuple(let items): return .tuple(try all(items))
        case .dict(let box):
            let result = DictBox()
            for (key, item) in box.items { result.items[key] = try listed(item, evaluator) }
            return .dict(result)
        case .object(let object): return try (object as? RangeObject)?.items(evaluator).map { .list($0) } ?? datum
        default: return datum
        }
    }

    private static func yamlText(_ c: FilterCall, _ indent: Int, flow: Bool?) throws(TemplateError) -> String {
        var style = YAMLStyle(flow: flow, indent: indent)
        if indent == 4, let first = c.call.positional.first?.int { style.indent = first }
        for (name, value) in c.call.named {
            switch name {
            case "indent": style.indent = value.int ?? style.indent
            case "width":
                if !value.isNull { style.width = Int(min(1e9, max(0, try double(value, name)))) }
            case "sort_keys": style.sortKeys = try c.evaluator.isTrue(value)
            case "default_flow_style": style.flow = value.isNull ? nil : try c.evaluator.isTrue(value)
            case "allow_unicode": style.unicode = try c.evaluator.isTrue(value)
            case "explicit_start": style.explicitStart = try c.evaluator.isTrue(value)
            case "canonical": style.isCanonical = try c.evaluator.isTrue(value)
            case "default_style":
                guard !value.isNull else { break }
                style.scalars = value.text.flatMap(YAMLStyle.Scalars.init(rawValue:))
            case "line_break", "encoding", "version", "tags", "vault_to_text", "dump_skip_templates": break
            default: throw TemplateError("'\(c.call.name)' has no argument '\(name)'")
            }
        }
        // PyYAML falls back where the numbers make no sense.
        if !(2..<10).contains(style.indent) { style.indent = 2 }
        if style.width <= style.indent * 2 { style.width = 80 }
        let value = try c.evaluator.value(of: c.value)
        do throws(Diagnostic) {
            return try YAML.yamlText(value, style)
        } catch {
            throw TemplateError(error.message)
        }
    }
}
