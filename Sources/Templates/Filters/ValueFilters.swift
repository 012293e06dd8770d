import Values

extension Filters {
    static func addValues(_ table: inout FilterTable) {
        table.add("default", "d", parameters: ["default_value", "boolean"], acceptsUndefined: true) {
            (c) throws(TemplateError) in
            let fallback = c[0] ?? .string("")
            if case .undefined(let undefined) = c.value {
                if undefined.isError { throw undefined.error }
                // ansible-core knows Jinja2's own kind only where it is false.
                let isLeft = try c.flag(1) == false && undefined.isBlank
                return isLeft ? c.value : fallback
            }
            if let given = c[1] {
                guard case .bool = given else {
                    throw TemplateError("The 'boolean' argument must be of type 'bool', not '\(given.typeName)'.")
                }
            }
            if try c.flag(1), !(try c.evaluator.isTrue(c.value)) { return fallback }
            return c.value
        }
        table.add("mandatory", parameters: ["msg"], acceptsUndefined: true) { (c) throws(TemplateError) in
            guard case .undefined(let undefined) = c.value else { return c.value }
            if undefined.isError { throw undefined.error }
            if let message = try c.text(0) { throw TemplateError(message) }
            let name = undefined.name.map { "'\($0)' " } ?? ""
            throw TemplateError(
                "mandatory variable \(name)not defined", words: "Mandatory variable \(name)not defined.")
        }
        table.add("ternary", parameters: ["true_val", "false_val", "none_val"], required: 2, acceptsUndefined: true) {
            (c) throws(TemplateError) in
            if case .undefined(let undefined) = c.value, !undefined.isBlank { return c.value }
            if c.value.isNull, let none = c[2], !none.isNull { return none }
            return try c.evaluator.isTrue(c.value) ? c[0] ?? .null : c[1] ?? .null
        }
        table.add("bool") { (c) throws(TemplateError) in
            let result: Bool
            switch c.value {
            case .bool: return c.value
            case .string(let text):
                let word = text.string.lowercased()
                result = ["yes", "on", "true", "1"].contains(word)
                if result || ["no", "off", "false", "0"].contains(word) { return .bool(result) }
            case .int(let int):
                result = int == 1
                if result || int == 0 { return .bool(result) }
            case .double(let double): result = double == 1
            default: result = false
            }
            let shown = try c.evaluator.value(of: c.value)
            var isSecret = false
            shown.forEachText { if $0.isSecret { isSecret = true } }
            let text = isSecret ? "(hidden)" : shown.pythonRepr
            c.evaluator.templater.deprecated?(
                "The `bool` filter coerced invalid value \(text) (\(c.value.typeName)) to "
                    + (result ? "True." : "False."),
                c.evaluator.source.place)
            return .bool(result)
        }
        table.add("type_debug", acceptsUndefined: true) { (c) throws(TemplateError) in
            guard case .undefined(let undefined) = c.value else { return .string(c.value.typeName) }
            if undefined.sealed != nil { return .string("VaultExceptionMarker") }
            if undefined.isBlank { return .string("Undefined") }
            return .string(undefined.isError ? "CapturedExceptionMarker" : "UndefinedMarker")
        }
        table.add("attr", parameters: ["name"], required: 1) { (c) throws(TemplateError) in
            // An attribute is never an item here: `{{ {'a': 1} | attr('a') }}` is undefined.
            let name = try c.text(0) ?? ""
            if case .dict = c.value, !DictMethods.names.contains(name) {
                return missing("object of type 'dict' has no attribute '\(name)'")
            }
            return try c.evaluator.attribute(name, of: c.value, nil, Span(0, 1))
        }
        table.add("pprint") { (c) throws(TemplateError) in .string(try c.evaluator.repr(c.value)) }
    }
}
