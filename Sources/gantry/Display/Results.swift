import Values
import Wire
import YAML

/// How results are written, in the words and forms that people's scripts know.
struct ResultText {
    let verbosity: Int
    let diffContext: Int
    private let format: DisplayOptions.Format
    private let isPretty: Bool?

    init(_ options: DisplayOptions) {
        verbosity = options.verbosity
        diffContext = options.diffContext
        format = options.format
        isPretty = options.isPretty
    }

    /// A result as it is shown: on one line, or over several where somebody asked to see it.
    ///
    /// - Parameter indent: spaces of a level; 0 is lines without any.
    func dump(_ result: Dict, action: String, indent: Int? = nil) -> String {
        let always = result["_ansible_verbose_always"]?.isTrue ?? false
        var shown = abridged(result, action)
        if format == .headedYAML { return headed(shown) }
        var indent = indent
        let isSpread = always || isPretty == true || verbosity > 2 || (isPretty == nil && format == .yaml)
        if indent ?? 0 == 0, isSpread { indent = 4 }
        if isPretty == false { indent = nil }
        guard format == .yaml else {
            return Value.dict(shown).json(JSONStyle(indent: indent, sortKeys: true, asciiOnly: false))
        }
        if isPretty != false {
            for stream in ["stdout", "stderr"] where shown[stream] != nil && shown["\(stream)_lines"] != nil {
                shown["\(stream)_lines"] = "<omitted>"
            }
        }
        return "\n" + yaml(.dict(shown), indent: indent ?? 2, margin: indent ?? 4)
    }

    private func headed(_ result: Dict) -> String {
        var shown = result
        var text = ""
        for key in ["changed", "skipped"] {
            guard let value = shown.removeValue(forKey: .string(Text(key))) else { continue }
            text += "\(key)=\(value.pythonText.lowercased()) "
        }
        for stream in ["stdout", "stderr"] where shown[stream] != nil && shown["\(stream)_lines"] != nil {
            shown["\(stream)_lines"] = "<omitted>"
        }
        if !shown.isEmpty { text += "\n" + yaml(.dict(shown), indent: 2, margin: 2) }
        while text.last?.isWhitespace ?? false, text.contains("\n") { text.removeLast() }
        return text
    }

    /// Without what is no part of the result for a person.
    private func abridged(_ result: Dict, _ action: String) -> Dict {
        var shown = result.filter {
            !$0.key.pythonText.hasPrefix("_ansible_") && !$0.key.pythonText.hasPrefix("_failed_")
        }
        if verbosity < 3 {
            shown["invocation"] = nil
            shown["diff"] = nil
        }
        for key in ["exception", "failed", "skipped", "warnings", "deprecations"] { shown[key] = nil }
        shown = shown.mapValues(Self.withoutInternals)
        if action == "debug", !(shown["unreachable"]?.isTrue ?? false) { shown = debugged(shown) }
        return Dict(uniqueKeysWithValues: shown.elements)
    }

    private static func withoutInternals(_ value: Value) -> Value {
        switch value {
        case .list(let list): return .list(list.map(withoutInternals))
        case .dict(let dict):
            let kept = dict.filter { !($0.key.text?.hasPrefix("_ansible_") ?? false) }
            return .dict(Dict(uniqueKeysWithValues: kept.elements).mapValues(withoutInternals))
        default: return value
        }
    }

    private func yaml(_ value: Value, indent: Int, margin: Int) -> String {
        var style = YAMLStyle(indent: indent, width: format == .headedYAML ? 1000 : 80)
        style.literal = isPretty == false ? .exact : .readable
        guard let text = try? yamlText(value, style) else { return value.json() }
        let space = String(repeating: " ", count: margin)
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.allSatisfy(\.isWhitespace) ? String($0) : space + $0 }.joined(separator: "\n")
    }

    /// `debug` shows what it was told to, and nothing else.
    private func debugged(_ result: Dict) -> Dict {
        if result["msg"] != nil {
            return result.filter { $0.key.text == "msg" }
        }
        let hidden = [
            "changed", "invocation", "skip_reason", "ansible_loop_var", "ansible_index_var", "ansible_loop",
        ]
        return result.filter { !hidden.contains($0.key.text ?? "") }
    }

    func isVerbose(_ result: Dict, at threshold: Int = 0) -> Bool {
        (verbosity > threshold || result["_ansible_verbose_always"]?.isTrue ?? false)
            && !(result["_ansible_verbose_override"]?.isTrue ?? false)
    }

    /// The lines of all parts of a diff.
    func diff(_ parts: [Value]) -> [String] {
        var lines: [String] = []
        for part in parts {
            for (key, side) in [("dst_binary", "destination"), ("src_binary", "source")] where part[key] != nil {
                lines.append("diff skipped: \(side) file appears to be binary")
            }
            for (key, side) in [("dst_larger", "destination"), ("src_larger", "source")] {
                guard let limit = part[key] else { continue }
                lines.append("diff skipped: \(side) file size is greater than \(limit.pythonText)")
            }
            if let before = part["before"], let after = part["after"] {
                let changed = UnifiedDiff.lines(
                    before: text(before), after: text(after), from: header("before", part),
                    to: header("after", part), context: diffContext)
                if !changed.isEmpty { lines += changed + [""] }
            }
            if let prepared = part["prepared"]?.text {
                lines += prepared.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            }
        }
        return lines
    }

    private func header(_ side: String, _ part: Value) -> String {
        part["\(side)_header"].map { "\(side): \($0.pythonText)" } ?? side
    }

    private func text(_ value: Value) -> String {
        switch value {
        case .null: ""
        case .dict where format != .json: yaml(value, indent: 4, margin: 4) + "\n"
        case .dict: value.json(JSONStyle(indent: 4, sortKeys: true)) + "\n"
        default: value.pythonText
        }
    }
}
