import Playbooks
import Values
import YAML

/// `-e`: `key=value` words, JSON or YAML text, or `@FILE`.
enum ExtraVariables {
    static func read(_ given: [String], files: any ProjectFiles) throws(Diagnostic) -> Dict {
        var all = Dict()
        for text in given {
            for (name, value) in try variables(text, files) { all[name] = value }
        }
        return all
    }

    private static func variables(_ text: String, _ files: any ProjectFiles) throws(Diagnostic) -> Dict {
        if text.hasPrefix("@") {
            let path = String(text.dropFirst())
            guard let bytes = try files.contents(of: path) else {
                throw Diagnostic("there is no file of variables '\(path)' (given with -e)")
            }
            let opened = try files.opened(String(decoding: bytes, as: UTF8.self), path: path)
            // Nothing of what is vaulted may stand in an excerpt.
            let file = opened.isSecret ? SourceFile(name: path) : SourceFile(name: path, text: opened.text)
            return try mapping(opened.text, file, files)
        }
        if text.hasPrefix("{") || text.hasPrefix("[") { 
            return try mapping(text, SourceFile(name: "-e", text: text), files)
        }
        return try words(text)
    }

    private static func mapping(
        _ text: String, _ file: SourceFile, _ files: any ProjectFiles
    ) throws(Diagnostic) -> Dict {
        let (nodes, _) = try YAMLReader.documents(text, file: file)
        guard let node = nodes.first else { return Dict() }
        var options = ValueOptions()
        options.decrypt = { (text: Text) throws(Diagnostic) in try files.decrypted(text) }
        let value = try node.value(options)
        guard let dict = value.dict else {
            throw node.diagnostic("variables given with -e are a \(node.kindName), expected a mapping")
        }
        return dict.mapValues(withoutMarks)
    }

    /// `__ansible_unsafe` marks what is no template, as in what Ansible writes as JSON.
    private static func withoutMarks(_ value: Value) -> Value {
        switch value {
        case .list(let list): return .list(list.map(withoutMarks))
        case .dict(let dict):
            if dict.count == 1, let unsafe = dict["__ansible_unsafe"] { return unsafe.mapText(\.unsafe) }
            return .dict(dict.mapValues(withoutMarks))
        default: return value
        }
    }

    /// `a=1 b='two words'`: values are strings, and may be templates.
    private static func words(_ text: String) throws(Diagnostic) -> Dict {
        var all = Dict()
        for word in OneLine.words(text) {
            guard let equals = word.firstIndex(of: "="), equals != word.startIndex else {
                let hint = "write key=value, {\"key\": value} or @FILE behind -e"
                // Ansible passes over it without a word.
                guard Twin.isCalled else { throw Diagnostic("'\(word)' is no variable", hint: hint) }
                let warning = Diagnostic("'\(word)' is no variable, and sets nothing", hint: hint, severity: .warning)
                Output.printError(warning.shown)
                continue
            }
            let value = OneLine.unquoted(String(word[word.index(after: equals)...]))
            let isTemplate = value.contains("{{") || value.contains("{%")
            let mark = Mark(
                place: Place(file: SourceFile(name: "-e", text: text), line: 1, column: 1), isTemplate: isTemplate)
            all[String(word[..<equals])] = .string(Text(value, mark: mark))
        }
        return all
    }
}
