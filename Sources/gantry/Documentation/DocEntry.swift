import Engine
import Modules
import Playbooks
import Templates
import Values

/// Something that has documentation: built in, or a file.
struct DocEntry {
    /// With its collection, where it is in one.
    var name: String
    var summary: String
    /// The file that it is; `nil` when it is built in.
    var path: String?
    /// In the shape of `ansible-doc --json`: `doc`, `examples`, `return`, `metadata`.
    var document: Value

    /// Without its collection.
    var shortName: String { name.split(separator: ".").last.map(String.init) ?? name }

    /// Built in.
    init(_ name: String, _ summary: String, doc: Dict, examples: String? = nil, returns: Dict? = nil) {
        self.name = name
        self.summary = summary
        var doc = doc
        let short = name.split(separator: ".").last ?? ""
        doc["short_description"] = .string(summary)
        if doc["description"] == nil { doc["description"] = .strings([summary]) }
        doc["plugin_name"] = .string(name)
        doc["collection"] = .string(String(name.dropLast(name == short ? 0 : short.count + 1)))
        document = [
            "doc": .dict(doc), "examples": examples.map { .string($0) } ?? .null, "metadata": .null,
            "return": returns.map { .dict($0) } ?? .null,
        ]
    }

    /// A file's.
    init(_ name: String, path: String, document: Value) {
        self.name = name
        self.path = path
        self.document = document
        summary = document["doc"]?["short_description"]?.pythonText ?? "UNDOCUMENTED"
    }
}

extension DocEntry {
    init(_ module: ModuleEntry) {
        var options = Dict()
        for row in module.parameters {
            var option: Dict = [
                "description": .strings([row.summary]), "type": .string("\(row.type)"), "required": .bool(row.required),
            ]
            if !row.aliases.isEmpty { option["aliases"] = .strings(row.aliases) }
            if !row.choices.isEmpty { option["choices"] = .strings(row.choices) }
            if let fallback = row.defaultText { option["default"] = .string(fallback) }
            options[row.name] = .dict(option)
        }
        let returns = module.options.returns.map { ($0.name, Value.dict(["description": .strings([$0.summary])])) }
        self.init(
            "ansible.builtin.\(module.name)", module.summary,
            doc: [
                "module": .string(module.name), "notes": .strings(module.options.notes), "options": .dict(options),
                "has_action": .bool(module.kind != .resource),
                "attributes": ["check_mode": ["description": .string(module.options.checkMode)]],
            ], examples: module.options.examples, returns: Dict(returns))
    }

    /// - Parameter value: the name of what stands before the filter or behind `is`; none of a lookup.
    init(_ function: FunctionSummary, value: String?) {
        var options = Dict()
        if let value { options[value] = ["description": ["The value."], "required": true] }
        for (index, parameter) in function.parameters.enumerated() {
            options[parameter] = [
                "description": .strings(["Argument \(index + 1)."]), "required": .bool(index < function.required),
            ]
        }
        var doc: Dict = ["name": .string(function.name), "options": .dict(options)]
        if value != nil {
            let rest = function.parameters + (function.isOpen ? ["..."] : [])
            doc["positional"] = .string((["_input"] + rest).joined(separator: ", "))
        }
        if !function.aliases.isEmpty { doc["aliases"] = .strings(function.aliases) }
        self.init(function.fullName, function.summary, doc: doc)
    }

    init(_ keyword: KeywordSummary) {
        self.init(keyword.name, keyword.summary, doc: Dict())
        document = [
            "applies_to": .strings(keyword.places), "description": .string(keyword.summary),
            "type": .string(keyword.type),
        ]
    }

    /// A choice of a closed set, with the settings that it reads.
    init(_ name: String, _ summary: String, _ settings: [Setting]) {
        var options = Dict()
        for setting in settings { options[setting.optionName] = .dict(setting.document) }
        self.init("ansible.builtin.\(name)", summary, doc: ["name": .string(name), "options": .dict(options)])
    }
}
