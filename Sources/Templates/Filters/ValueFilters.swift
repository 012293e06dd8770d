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
            switch c.value {
            case .bool: return c.value
            case .string(let text): return .bool(["yes", "on", "true", "1"].contains(text.string.lowercased()))
            case .int(let int): return .bool(int == 1)
            case .double(let double): return .bool(double == 1)
            default: return .bool(false)
            }
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
