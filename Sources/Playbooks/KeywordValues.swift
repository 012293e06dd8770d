import Templates
import Values
import Wire
import YAML

/// What values of keywords look like. Only what is written out is checked: a template is known on the host.
struct KeywordValues {
    private enum Kind {
        case flag, wholeNumber, number, name, words, mapping, mappings, condition, loop, batches, strategy
        case choice([String])
    }

    private static let kinds: [String: Kind] = {
        var kinds: [String: Kind] = [:]
        func add(_ kind: Kind, _ names: [String]) { for name in names { kinds[name] = kind } }
        add(
            .flag,
            [
                "any_errors_fatal", "become", "check_mode", "delegate_facts", "diff", "force_handlers", "gather_facts",
                "ignore_errors", "ignore_unreachable", "no_log", "run_once",
            ])
        add(.wholeNumber, ["async", "gather_timeout", "poll", "port", "retries", "throttle", "timeout"])
        add(.number, ["delay", "max_fail_percentage"])
        add(.name, ["register"])
        add(.words, ["listen", "notify", "tags"])
        add(.mapping, ["args", "loop_control"])
        add(.mappings, ["environment", "module_defaults", "vars"])
        add(.condition, ["changed_when", "failed_when", "until", "when"])
        add(.loop, ["loop"])
        add(.batches, ["serial"])
        add(.choice(["inventory", "reverse_inventory", "sorted", "reverse_sorted", "shuffle"]), ["order"])
        add(.strategy, ["strategy"])
        add(.choice(["always", "never", "on_failed", "on_unreachable", "on_skipped"]), ["debugger"])
        add(.choice(["sudo", "su"]), ["become_method"])
        return kinds
    }()

    private static let loopControl: Set<String> = [
        "break_when", "extended", "extended_allitems", "index_var", "label", "loop_var", "pause",
    ]

    let loader: Loader

    /// - Parameter allowed: the keywords that may stand here; another name (`gather_facts` in a task) is a module.
    func check(_ entries: [Node.Entry], _ allowed: Set<String>) {
        for entry in entries {
            if entry.name == "vars" { loader.warnOfReserved(in: entry.value) }
            guard let name = entry.name, allowed.contains(name), let kind = Self.kinds[name], !entry.value.isNull else {
                continue
            }
            if name == "module_defaults", let problem = problemOfDefaults(entry.value) {
                loader.report(problem)
                continue
            }
            if name == "vars", entry.value.text != nil {
                let message = "'vars' is '\(entry.value.text ?? "")'"
                loader.report(entry.value.diagnostic(message, hint: "expected a mapping"))
                continue
            }
            if isOpen(entry.value) { continue }
            if let expected = expectation(kind, entry.value) {
                let shown = entry.value.text.map { "'\($0)'" } ?? entry.value.scalar?.pythonText
                var message = "'\(name)' is \(shown ?? "a \(entry.value.kindName)")"
                if case .name = kind {
                    let type = entry.value.text == nil ? entry.value.scalar.map { " of type '\($0.typeName)'" } : nil
                    message = "Invalid '\(name)' specified: Invalid variable name \(shown ?? "")\(type ?? "")."
                }
                let problem = entry.value.diagnostic(message, hint: expected)
                if case .name = kind { loader.report(problem) } else { loader.reportUnlessLeft(problem) }
            }
            if name == "loop_control", let members = entry.value.entries { checkLoopControl(members) }
        }
        checkLoops(entries)
    }

    /// Which modules have defaults must be known before the run; what these are may be a template.
    private func problemOfDefaults(_ value: Node) -> Diagnostic? {
        guard value.text != nil || value.items?.contains(where: { $0.text != nil }) ?? false else { return nil }
        return value.diagnostic(
            "'module_defaults' is '\(value.text ?? "a list with a text in it")'",
            hint: "expected a mapping whose keys are written out; only its values may be templates")
    }

    /// A template, or what a vault holds: known later.
    private func isOpen(_ node: Node) -> Bool {
        node.tag != nil || node.text.map { Templater.looksLikeTemplate($0) } ?? false
    }

    /// What was expected, where the value is something else.
    private func expectation(_ kind: Kind, _ node: Node) -> String? {
        switch kind {
        case .flag: return node.scalar?.asBool == nil ? "expected true or false" : nil
        case .wholeNumber: return node.scalar.flatMap(wholeNumber) == nil ? "expected a whole number" : nil
        case .number: return node.scalar.flatMap(number) == nil ? "expected a number" : nil
        case .name:
            let isName = node.scalar.map { isVariableName($0.pythonText) } ?? false
            return isName ? nil : "expected the name of a variable: letters, digits and _, no digit first"
        case .words: return isScalars(node) ? nil : "expected a name or a list of names"
        case .mapping: return node.entries == nil ? "expected a mapping" : nil
        case .mappings:
            let isList = node.items?.allSatisfy { $0.entries != nil || isOpen($0) } ?? false
            return node.entries != nil || isList ? nil : "expected a mapping"
        case .condition: return isScalars(node) ? nil : "expected a condition or a list of conditions"
        case .loop: return node.items == nil ? "expected a list" : nil
        case .batches:
            let isSize = (node.items ?? [node]).allSatisfy { isOpen($0) || $0.scalar.map(isBatchSize) ?? false }
            return isSize ? nil : "expected a number, a percentage, or a list of these"
        case .strategy:
            let name = node.scalar?.pythonText ?? ""
            return Strategy(named: name) == nil ? unknown(name, among: Strategy.names) : nil
        case .choice(let words):
            guard let word = node.scalar?.pythonText.split(separator: ".").last.map(String.init) else {
                return "expected \(words.joined(separator: ", "))"
            }
            return words.contains(word) ? nil : unknown(word, among: words)
        }
    }

    private func unknown(_ word: String, among words: [String]) -> String {
        suggestion(for: word, among: words) ?? "expected \(words.joined(separator: ", "))"
    }

    private func isScalars(_ node: Node) -> Bool { (node.items ?? [node]).allSatisfy { $0.scalar != nil } }

    private func wholeNumber(_ value: Value) -> Int? {
        if case .int(let int) = value { return int }
        return Int(value.pythonText)
    }

    private func number(_ value: Value) -> Double? { value.number ?? Double(value.pythonText) }

    private func isBatchSize(_ value: Value) -> Bool {
        let text = value.pythonText
        return text.hasSuffix("%") ? Double(text.dropLast()) != nil : number(value) != nil
    }

    private func isVariableName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
        return text.utf8.allSatisfy { $0 == 95 || (48...57).contains($0) || (65...90).contains($0 & 0xdf) }
    }

    private func checkLoopControl(_ members: [Node.Entry]) {
        for member in members {
            guard let name = member.name, !Self.loopControl.contains(name) else { continue }
            loader.report(
                member.key.diagnostic(
                    "'loop_control' has no '\(name)'",
                    hint: suggestion(for: name, among: Self.loopControl)
                        ?? "it has: \(Self.loopControl.sorted().joined(separator: ", "))"))
        }
    }

    /// `loop` and `with_…`: one of them, and of a lookup that there is.
    private func checkLoops(_ entries: [Node.Entry]) {
        let loops = entries.filter { $0.name.map { $0 == "loop" || Keywords.isLoop($0) } ?? false }
        if loops.count > 1, let last = loops.last {
            loader.report(last.key.diagnostic("a second loop in one task", hint: "a task has one"))
        }
        guard let lookups = loader.templater.lookups else { return }
        for loop in loops {
            guard let name = loop.name, name != "loop" else { continue }
            let plugin = String(name.dropFirst("with_".count))
            if lookups.contains(plugin.split(separator: ".").last.map(String.init) ?? plugin) { continue }
            if loader.templater.plugins?.has(.lookup, plugin) ?? false { continue }
            loader.report(
                loop.key.diagnostic(
                    "there is no lookup '\(plugin)' for '\(name)'",
                    hint: suggestion(for: name, among: lookups.map { "with_\($0)" })))
        }
    }
}
