import Values
import Wire

/// How results are written, in the words and forms that people's scripts know.
struct ResultText {
    let verbosity: Int
    var diffContext = 3

    /// A result as JSON: on one line, or indented where somebody asked to see it.
    ///
    /// - Parameter isOneLine: as `ansible -o` writes it, without blanks behind commas.
    func dump(_ result: Dict, action: String, isOneLine: Bool = false) -> String {
        let always = result["_ansible_verbose_always"]?.isTrue ?? false
        var shown = result.filter {
            !$0.key.pythonText.hasPrefix("_ansible_") && !$0.key.pythonText.hasPrefix("_failed_")
        }
        if verbosity < 3 {
            shown["invocation"] = nil
            shown["diff"] = nil
        }
        for key in ["exception", "failed", "skipped", "warnings", "deprecations"] { shown[key] = nil }
        if action == "debug", !(shown["unreachable"]?.isTrue ?? false) { shown = debugged(shown) }
        let indent = isOneLine ? 0 : always || verbosity > 2 ? 4 : nil
        let text = Value.dict(Dict(uniqueKeysWithValues: shown.elements)).json(
            JSONStyle(indent: indent, sortKeys: true, asciiOnly: false))
        return isOneLine ? text.filter { $0 != "\n" } : text
    }

    /// `debug` shows what it was told to, and nothing else.
    private func debugged(_ result: Dict) -> Dict {
        if result["msg"] != nil {
            return result.filter { $0.key.text == "msg" }
        }
        return result.filter {
            !["changed", "invocation", "skip_reason"].contains($0.key.text)
        }
    }

    func isVerbose(_ result: Dict, at threshold: Int = 0) -> Bool {
        (verbosity > threshold || result["_ansible_verbose_always"]?.isTrue ?? false)
            && !(result["_ansible_verbose_override"]?.isTrue ?? false)
    }

    /// The lines of all parts of a diff, with their kinds for colouring.
    func diff(_ parts: [Value]) -> [String] {
        var lines: [String] = []
        for part in parts {
            if let prepared = part["prepared"]?.text {
                lines += prepared.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                continue
            }
            for (key, side) in [("dst_binary", "destination"), ("src_binary", "source")] where part[key] != nil {
                lines.append("diff skipped: \(side) file appears to be binary")
            }
            for (key, side) in [("dst_larger", "destination"), ("src_larger", "source")] {
                guard let limit = part[key] else { continue }
                lines.append("diff skipped: \(side) file size is greater than \(limit.pythonText)")
            }
            guard let before = part["before"], let after = part["after"] else { continue }
            let changed = UnifiedDiff.lines(
                before: text(before), after: text(after), from: header("before", part), to: header("after", part),
                context: diffContext)
            if !changed.isEmpty { lines += changed + [""] }
        }
        return lines
    }

    private func header(_ side: String, _ part: Value) -> String {
        part["\(side)_header"].map { "\(side): \($0.pythonText)" } ?? side
    }

    private func text(_ value: Value) -> String {
        switch value {
        case .null: ""
        case .dict: value.json(JSONStyle(indent: 4, sortKeys: true)) + "\n"
        default: value.pythonText
        }
    }
}
