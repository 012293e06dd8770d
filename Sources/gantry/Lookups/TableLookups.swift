import Patterns
import Playbooks
import Values

/// `csvfile`: a cell of the first row whose key cell is the term.
struct TableLookup {
    private let delimiter: Character
    private let column: Int
    private let keyColumn: Int
    private let fallback: Value?

    init(_ options: Dict) throws(Diagnostic) {
        var mark = options["delimiter"]?.pythonText ?? "TAB"
        if mark == "TAB" || mark == "\\t" { mark = "\t" }
        guard let delimiter = mark.first, mark.count == 1 else {
            throw Diagnostic("\"delimiter\" must be a 1-character string")
        }
        self.delimiter = delimiter
        column = options["col"]?.int ?? 1
        keyColumn = options["keycol"]?.int ?? 0
        fallback = options["default"]
    }

    func rows(_ key: String, in text: String) throws(Diagnostic) -> [Value] {
        for row in rows(of: text) where row != [""] {
            guard let cell = element(keyColumn, of: row) else { throw Diagnostic("list index out of range") }
            guard cell == key else { continue }
            guard let found = element(column, of: row) else { throw Diagnostic("list index out of range") }
            return [.string(found)]
        }
        return fallback.map { $0.list ?? [$0] } ?? []
    }

    private func element(_ index: Int, of row: [String]) -> String? {
        let index = index < 0 ? row.count + index : index
        return row.indices.contains(index) ? row[index] : nil
    }

    /// Cells in quotes may hold delimiters, ends of lines, and quotes written twice.
    private func rows(of text: String) -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var cell = ""
        var isQuoted = false
        var rest = Substring(text)
        func endCell() {
            row.append(cell)
            cell = ""
        }
        while let character = rest.popFirst() {
            if isQuoted {
                if character != "\"" {
                    cell.append(character)
                } else if rest.first == "\"" {
                    cell.append(rest.removeFirst())
                } else {
                    isQuoted = false
                }
            } else if character == "\"", cell.isEmpty {
                isQuoted = true
            } else if character == delimiter {
                endCell()
            } else if character.isNewline {
                endCell()
                rows.append(row)
                row = []
            } else {
                cell.append(character)
            }
        }
        if !cell.isEmpty || !row.isEmpty {
            endCell()
            rows.append(row)
        }
        return rows
    }
}

/// `ini`: a value of an INI file, or of Java's properties.
struct INILookup {
    private let options: Dict
    private let isExact: Bool

    init(_ options: Dict) {
        self.options = options
        isExact = options["case_sensitive"]?.asBool ?? false
    }

    func values(_ key: String, _ text: String) throws(Diagnostic) -> [Value] {
        let isProperties = options["type"]?.text == "properties"
        let file = options["file"]?.pythonText ?? "ansible.ini"
        let wanted = isProperties ? "java_properties" : options["section"]?.pythonText ?? "global"
        let sections = try sections(of: isProperties ? "[java_properties]\n\(text)" : text, file)
        guard var section = sections.first(where: { $0.name == wanted })?.values else {
            throw Diagnostic("No section '\(wanted)' in '\(file)'.")
        }
        for (name, value) in sections.first(where: { $0.name == "DEFAULT" })?.values ?? Dict()
        where section[name] == nil { section[name] = value }
        if options["re"]?.asBool ?? false {
            do throws(PatternError) {
                let pattern = try Pattern(key)
                var found: [Value] = []
                for (name, value) in section where try pattern.match(name.pythonText) != nil { found.append(value) }
                return found
            } catch { throw Diagnostic("'\(key)' is no regular expression: \(error.description)") }
        }
        guard let value = section[.string(isExact ? key : key.lowercased())] else {
            return [options["default"] ?? ""]
        }
        guard let text = value.text else { return [] }
        guard options["interpolation"]?.asBool ?? true else { return [value] }
        return [.string(try interpolated(text, section, depth: 0))]
    }

    private struct Section {
        let name: String
        var values = Dict()
    }

    private func sections(of text: String, _ file: String) throws(Diagnostic) -> [Section] {
        var sections: [Section] = []
        var last: Value?
        let takesNone = (options["allow_no_value"] ?? options["allow_none"])?.asBool ?? false
        for raw in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            let line = raw.trimmed
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if raw.first?.isWhitespace ?? false, let name = last, !sections.isEmpty {
                let before = sections[sections.count - 1].values[name]?.pythonText ?? ""
                sections[sections.count - 1].values[name] = .string("\(before)\n\(line)")
            } else if line.hasPrefix("["), let end = line.lastIndex(of: "]") {
                sections.append(Section(name: String(line[line.index(after: line.startIndex)..<end])))
                last = nil
            } else {
                let split = line.firstIndex { $0 == "=" || $0 == ":" }
                guard !sections.isEmpty, split != nil || takesNone else {
                    throw Diagnostic("'\(file)' has a line that is no 'name = value': \(line)")
                }
                let name = line[..<(split ?? line.endIndex)].trimmed
                let key = Value.string(isExact ? name : name.lowercased())
                guard sections[sections.count - 1].values[key] == nil else {
                    throw Diagnostic("Duplicate option in '\(file)'.")
                }
                sections[sections.count - 1].values[key] =
                    split.map { .string(line[line.index(after: $0)...].trimmed) } ?? .null
                last = key
            }
        }
        return sections
    }

    /// `%(name)s` is another value of the section; `%%` one percent sign.
    private func interpolated(_ text: String, _ section: Dict, depth: Int) throws(Diagnostic) -> String {
        guard depth < 10 else { throw Diagnostic("a value refers to itself: \(text)") }
        var out = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            guard character == "%" else {
                out.append(character)
                continue
            }
            if rest.first == "%" {
                out.append(rest.removeFirst())
            } else if rest.first == "(", let end = rest.firstIndex(of: ")"), rest[end...].hasPrefix(")s") {
                let name = String(rest[rest.index(after: rest.startIndex)..<end]).lowercased()
                guard let value = section[name]?.pythonText else {
                    throw Diagnostic("'\(text)' refers to '\(name)', which its section does not have")
                }
                out += try interpolated(value, section, depth: depth + 1)
                rest = rest[rest.index(end, offsetBy: 2)...]
            } else {
                throw Diagnostic(
                    "'%' must be followed by '%' or '(', found: '%\(rest)'",
                    hint: "interpolation=false takes it as it is")
            }
        }
        return out
    }
}
