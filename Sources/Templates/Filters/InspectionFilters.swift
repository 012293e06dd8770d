import Values
import YAML

/// What Ansible's own tests look into values with: the collection `ansible._protomatter`, and the vault filters.
extension Filters {
    private static let collection = "ansible._protomatter."

    static func addInspections(_ table: inout FilterTable) {
        table.add(collection + "apply_trust") { (c) throws(TemplateError) in
            guard case .string(let text) = c.value else { return c.value }
            return .string(text.vouchedFor(at: text.place))
        }
        table.add(collection + "dump_object", acceptsUndefined: true) { (c) throws(TemplateError) in
            guard case .undefined(let undefined) = c.value else { return c.value }
            let exception = DictBox()
            exception["message"] = .string(undefined.error.told)
            let result = DictBox()
            result["exception"] = .dict(exception)
            return .dict(result)
        }
        table.add(collection + "finalize") { (c) throws(TemplateError) in .raw(try c.evaluator.value(of: c.value)) }
        table.add(collection + "origin") { (c) throws(TemplateError) in
            .optional(c.value.marked?.place.map { "\($0)" })
        }
        table.add(collection + "python_literal_eval", parameters: ["ignore_errors"]) { (c) throws(TemplateError) in
            do throws(TemplateError) {
                guard case .string(let text) = c.value else {
                    throw TemplateError("the `value` to eval must be a string, got '\(c.value.typeName)'")
                }
                return try c.evaluator.literal(text.string)
            } catch {
                if try c.flag(0) { return c.value }
                throw error
            }
        }
        table.add(collection + "tag_names") { (c) throws(TemplateError) in
            .strings(Tag.allCases.filter { $0.isOn(c.value) }.map(\.rawValue))
        }
        table.add(collection + "true_type", acceptsUndefined: true) { (c) throws(TemplateError) in
            .string(c.value.isUndefined ? "UndefinedMarker" : c.value.typeName)
        }
        table.add(collection + "unmask", parameters: ["type_names"], required: 1) { (c) throws(TemplateError) in
            c.value
        }
    }

    static func addInspectionTests(_ table: inout FilterTable) {
        table.add(collection + "tagged") { (c) throws(TemplateError) in
            .bool(Tag.allCases.contains { $0.isOn(c.value) })
        }
        table.add(collection + "tagged_with", parameters: ["tag_name"], required: 1) { (c) throws(TemplateError) in
            let name = try c.text(0) ?? ""
            guard let tag = Tag(rawValue: name) else {
                throw TemplateError(
                    "unknown tag name '\(name)'", hint: suggestion(for: name, among: Tag.allCases.map(\.rawValue)),
                    words: "Unknown tag name '\(name)'.")
            }
            return .bool(tag.isOn(c.value))
        }
    }

    /// What Ansible knows of a value beside itself, as far as texts here carry it.
    private enum Tag: String, CaseIterable {
        case origin = "Origin"
        case trusted = "TrustedAsTemplate"
        case vaulted = "VaultedValue"

        func isOn(_ datum: Datum) -> Bool {
            guard let text = datum.marked else { return false }
            return switch self {
            case .origin: text.place != nil
            // What stands in a file and was not declared unsafe could have been a template.
            case .trusted: text.isVouchedFor || (text.place != nil && !(text.mark?.isDeclaredUnsafe ?? false))
            case .vaulted: text.isSecret || text.isSealed
            }
        }
    }
}

extension Datum {
    /// The text with its mark, where it is one.
    var marked: Text? { if case .string(let text) = self { text } else { nil } }
}

extension Evaluator {
    /// A Python literal, and nothing that would have to be evaluated.
    func literal(_ text: String) throws(TemplateError) -> Datum {
        let syntax = try templater.syntax(ofLiteral: text)
        guard let expression = syntax.onlyExpression, expression.isLiteral else {
            throw TemplateError("malformed literal: \(text)", words: "malformed node or string: \(text)")
        }
        return try evaluate(expression, Frame(nil, isTop: true, isIsolated: true))
    }
}

extension Expression {
    fileprivate var isLiteral: Bool {
        switch kind {
        case .null, .bool, .int, .big, .double, .string: true
        case .list(let items), .tuple(let items): items.allSatisfy(\.isLiteral)
        case .dict(let pairs): pairs.allSatisfy { $0.key.isLiteral && $0.value.isLiteral }
        case .negative(let operand), .positive(let operand): operand.isLiteral
        default: false
        }
    }
}
