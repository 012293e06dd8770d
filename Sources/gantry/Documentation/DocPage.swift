import Values
import YAML

/// Documentation as a person reads it, in the layout of `ansible-doc`.
struct DocPage {
    private var lines: [String] = []
    private let width = 70

    /// - Parameter kind: `MODULE`, `FILTER`, and so on.
    init(_ entry: DocEntry, kind: String) {
        let doc = entry.document["doc"]?.dict ?? Dict()
        lines = ["> \(kind) \(entry.name) (\(entry.path ?? "built in"))", ""]
        for text in Self.texts(doc["description"]) { paragraph(text) }
        lines.append("")
        if let aliases = doc["aliases"]?.list, !aliases.isEmpty {
            lines += ["ALIASES: " + aliases.map(\.pythonText).joined(separator: ", "), ""]
        }
        options(doc["options"]?.dict ?? Dict(), title: "OPTIONS")
        attributes(doc["attributes"]?.dict ?? Dict())
        list("NOTES", Self.texts(doc["notes"]))
        list("SEE ALSO", (doc["seealso"]?.list ?? []).map(Self.reference))
        if let names = doc["requirements"], !names.isNull {
            lines += ["REQUIREMENTS:  " + Self.texts(names).joined(separator: ", "), "", ""]
        }
        author(doc["author"])
        if kind == "FILTER" || kind == "TEST" || kind == "LOOKUP" {
            if let name = doc["name"] { lines += ["NAME: \(name.pythonText)", ""] }
            if let order = doc["positional"] { lines += ["POSITIONAL: \(order.pythonText)", ""] }
        }
        if let examples = entry.document["examples"], !examples.isNull {
            lines += ["EXAMPLES:", (examples.text ?? (try? yamlText(examples)) ?? "").trimmed, ""]
        }
        if let returns = entry.document["return"]?.dict, !returns.isEmpty {
            lines += ["RETURN VALUES:", ""]
            fields(returns, indent: 0, isResult: true)
        }
    }

    /// A role's, entry point by entry point.
    init(role name: String, path: String, entries: [(name: String, spec: Dict)]) {
        lines = ["> ROLE: *\(name)* (\(path))", ""]
        for (entry, spec) in entries {
            let summary = spec["short_description"].map { " - \($0.pythonText)" } ?? ""
            lines += ["ENTRY POINT: *\(entry)*\(summary)", ""]
            for text in Self.texts(spec["description"]) { paragraph(text, indent: 10) }
            if spec["description"] != nil { lines.append("") }
            options(spec["options"]?.dict ?? Dict(), title: "Options", ofRole: true)
            author(spec["author"])
        }
    }

    /// Without lines that are empty at its end.
    var text: String {
        var all = lines[...]
        while all.last?.isEmpty ?? false { all.removeLast() }
        return all.joined(separator: "\n")
    }

    // MARK: Sections

    private mutating func options(_ options: Dict, title: String, ofRole: Bool = false) {
        guard !options.isEmpty else { return }
        lines += ["\(title) (= indicates it is required):", ""]
        fields(options, indent: 0, ofRole: ofRole)
    }

    private mutating func attributes(_ attributes: Dict) {
        guard !attributes.isEmpty else { return }
        lines += ["ATTRIBUTES:", ""]
        for (name, members) in sorted(attributes) {
            lines.append("        `\(name):`")
            for (key, value) in sorted(members.dict ?? Dict()) {
                lines.append("        \(key): \(Self.texts(value).map(Self.plain).joined(separator: " "))")
            }
            lines.append("")
        }
    }

    private mutating func list(_ title: String, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        lines.append("\(title):")
        for text in texts { lines += wrapped(Self.plain(text), first: "      * ", rest: "        ") }
        lines.append("")
    }

    private mutating func author(_ author: Value?) {
        guard let author, !author.isNull else { return }
        lines += ["AUTHOR: " + Self.texts(author).joined(separator: ", "), ""]
    }

    /// Parameters, or results.
    private mutating func fields(_ all: Dict, indent: Int, isResult: Bool = false, ofRole: Bool = false) {
        let margin = String(repeating: " ", count: indent)
        for (name, value) in sorted(all) {
            let field = value.dict ?? Dict()
            let mark = field["required"]?.isTrue ?? false ? "=" : "-"
            let head = "\(mark) \(name)"
            // Names of members stand at once before what is said of them.
            let room = ofRole ? 10 : indent > 0 ? 0 : 8
            let start = margin + head + String(repeating: " ", count: max(0, room - head.count)) + "  "
            let texts = Self.texts(field["description"])
            let below = Self.blank(start.count + 1)
            lines += wrapped(Self.plain(texts.first ?? ""), first: start, rest: below)
            for text in texts.dropFirst() { lines += wrapped(Self.plain(text), first: below, rest: below) }
            members(field, margin + (ofRole ? "          " : indent > 0 ? "  " : "        "), isResult || ofRole)
            let nested = field["suboptions"] ?? field["options"] ?? field["contains"] ?? field["spec"]
            if let nested = nested?.dict, !nested.isEmpty {
                let word = isResult ? "contains" : "suboptions"
                lines += ["\(margin)        \(word):", ""]
                fields(nested, indent: indent + 8, isResult: isResult, ofRole: ofRole)
            } else { lines.append("") }
        }
    }

    private static let toldElsewhere: Set<String> = [
        "description", "required", "suboptions", "options", "contains", "spec", "version_added",
        "version_added_collection",
    ]

    /// What else a field says, a line each. One that may be left out says what it is then.
    private mutating func members(_ field: Dict, _ margin: String, _ isBare: Bool) {
        var shown = field
        if !isBare, shown["default"] == nil, !(field["required"]?.isTrue ?? false) { shown["default"] = .null }
        for (key, value) in sorted(shown) where !Self.toldElsewhere.contains(key) {
            let told: String
            switch value {
            case .list(let items) where items.allSatisfy({ $0.dict == nil && $0.list == nil }):
                told = "[" + items.map(Self.scalar).joined(separator: ", ") + "]"
            case .list, .dict:
                lines.append("\(margin)\(key):")
                let text = (try? yamlText(value)) ?? ""
                lines += text.trimmed.split(separator: "\n").map { "\(margin)  \($0)" }
                continue
            default: told = Self.scalar(value)
            }
            lines.append("\(margin)\(key): \(told)")
        }
    }

    private static func scalar(_ value: Value) -> String { (try? yamlText(value).trimmed) ?? value.pythonText }

    // MARK: Words

    private func sorted(_ dict: Dict) -> [(String, Value)] {
        dict.map { ($0.key.pythonText, $0.value) }.sorted { $0.0 < $1.0 }
    }

    private static func blank(_ count: Int) -> String { String(repeating: " ", count: count) }

    static func texts(_ value: Value?) -> [String] {
        guard let value, !value.isNull else { return [] }
        return value.list?.map(\.pythonText) ?? [value.pythonText]
    }

    private static func reference(_ value: Value) -> String {
        for kind in ["module", "plugin", "name", "ref", "link"] where value[kind] != nil {
            let word = kind == "module" || kind == "plugin" ? kind.capitalizedFirst + " " : ""
            let more = [value["description"], value["link"]].compactMap { $0?.pythonText }
            return ([word + (value[kind]?.pythonText ?? "")] + more).joined(separator: " ")
        }
        return value.pythonText
    }

    private mutating func paragraph(_ text: String, indent: Int = 2) {
        lines += wrapped(Self.plain(text), first: Self.blank(indent), rest: Self.blank(indent))
    }

    private func wrapped(_ text: String, first: String, rest: String) -> [String] {
        var all: [String] = []
        var line = first
        var isFresh = true
        for word in text.split(whereSeparator: \.isWhitespace) {
            if !isFresh, line.count + 1 + word.count > width {
                all.append(line)
                line = rest
                isFresh = true
            }
            line += (isFresh ? "" : " ") + word
            isFresh = false
        }
        while isFresh, line.last == " " { line.removeLast() }
        return all + [line]
    }

    /// Without the marks of Ansible's documentation: `C(x)` is `x' here, a module stands in brackets.
    static func plain(_ text: String) -> String {
        var out = ""
        var rest = text[...]
        var last: Character = " "
        while let letter = rest.popFirst() {
            guard "CIBOVEMPULR".contains(letter), !last.isLetter, !last.isNumber, rest.first == "(",
                let close = rest.firstIndex(of: ")")
            else {
                out.append(letter)
                last = letter
                continue
            }
            let inner = String(rest[rest.index(after: rest.startIndex)..<close])
            rest = rest[rest.index(after: close)...]
            out += marked(letter, inner)
            last = ")"
        }
        return out
    }

    private static func marked(_ letter: Character, _ inner: String) -> String {
        let words = inner.split(separator: ",", maxSplits: 1).map(\.trimmed)
        switch letter {
        case "M", "P": return "[\(inner)]"
        case "B": return "*\(inner)*"
        case "U": return inner
        case "L", "R": return words.count > 1 && letter == "L" ? "\(words[0]) <\(words[1])>" : words[0]
        default: return "`\(inner)'"
        }
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
