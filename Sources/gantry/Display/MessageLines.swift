import Values
import Wire

/// Warnings, and why a task failed: each told once.
struct MessageLines {
    let toErrors: Bool
    let showsDeprecations: Bool
    private var told: Set<String> = []
    private var excerpts = Excerpts()
    /// Where files of tasks are named, as far as that is known by now.
    var inclusions: Inclusions

    init(toErrors: Bool, showsDeprecations: Bool, inclusions: Inclusions = Inclusions()) {
        self.toErrors = toErrors
        self.showsDeprecations = showsDeprecations
        self.inclusions = inclusions
    }

    mutating func show(_ diagnostic: Diagnostic, _ host: String?, on terminal: Terminal) {
        let text = excerpts.located(diagnostic).shown(on: host)
        guard diagnostic.severity != .deprecation || showsDeprecations, told.insert(text).inserted else { return }
        if diagnostic.severity == .deprecation {
            advise(on: terminal)
            // The task's result has it, too.
            told.insert("[DEPRECATION WARNING]: \(diagnostic.message)")
        }
        let colours: [Diagnostic.Severity: Colour] = [.warning: .warning, .deprecation: .deprecated]
        terminal.line(text, colours[diagnostic.severity] ?? .failed, toErrors: true)
        spread(text, terminal, toErrors: true)
    }

    /// Ansible leaves a line free behind a message of several.
    private func spread(_ text: String, _ terminal: Terminal, toErrors: Bool) {
        if MessageForm.current == .ansible, text.hasSuffix("\n") { terminal.line("", toErrors: toErrors, logged: "") }
    }

    mutating func warnings(of result: TaskResult, on terminal: Terminal) {
        for warning in result.warnings where told.insert(warning).inserted {
            if warning.hasPrefix("[DEPRECATION WARNING]") {
                deprecation(warning, on: terminal)
            } else {
                terminal.line("[WARNING]: \(warning)", .warning, toErrors: true)
            }
        }
        for entry in result.result["deprecations"]?.list ?? [] {
            guard let message = entry["msg"]?.text else { continue }
            let text = "[DEPRECATION WARNING]: " + Self.announcement(message, entry)
            if told.insert(text).inserted { deprecation(text, on: terminal) }
        }
    }

    /// What goes, when, and with what.
    private static func announcement(_ message: String, _ entry: Value) -> String {
        var owner = "ansible-core"
        if let name = entry["deprecator"]?["resolved_name"]?.text ?? entry["collection_name"]?.text {
            let parts = name.split(separator: ".", maxSplits: 2).map(String.init)
            let collection = "collection '\(parts.prefix(2).joined(separator: "."))'"
            if parts.prefix(2) != ["ansible", "builtin"] {
                let kind = entry["deprecator"]?["type"]?.text ?? "plugin"
                owner = parts.count > 2 ? "\(kind) '\(parts[2])' in \(collection)" : collection
            }
        }
        var text = message.hasSuffix(".") ? message : message + "."
        if let date = entry["date"]?.text {
            text += " This feature will be removed from \(owner) in a release after \(date)."
        } else if let version = entry["version"]?.text {
            text += " This feature will be removed from \(owner) version \(version)."
        }
        if let help = entry["help_text"]?.text { text += " " + help }
        return text
    }

    private mutating func deprecation(_ text: String, on terminal: Terminal) {
        guard showsDeprecations else { return }
        advise(on: terminal)
        terminal.line(text, .deprecated, toErrors: true)
    }

    private mutating func advise(on terminal: Terminal) {
        let advice = "Deprecation warnings can be disabled by setting `deprecation_warnings=False` in ansible.cfg."
        let text = Diagnostic(advice, severity: .warning).shown
        if told.insert(text).inserted { terminal.line(text, .warning, toErrors: true) }
    }

    // MARK: Failures

    /// Where the mistake is, above the result.
    mutating func explain(
        _ result: TaskResult, _ info: TaskInfo, isUnreachable: Bool = false, on terminal: Terminal
    ) {
        guard MessageForm.current == .gantry else {
            return explainAsAnsible(result, info, isUnreachable, on: terminal)
        }
        let way = info.place.flatMap { inclusions.note(of: $0.file.name) }
        if var diagnostic = result.diagnostic, diagnostic.place != nil {
            diagnostic.notes += way.map { [$0] } ?? []
            terminal.line(excerpts.located(diagnostic).rendered, .failed, toErrors: toErrors)
        } else if !isUnreachable, result.label == nil, let place = info.place {
            let name = info.name.isEmpty ? info.module : info.name
            let lines = ["\(place): error: task '\(name)' failed"] + (way.map { ["  " + $0] } ?? [])
            terminal.line(lines.joined(separator: "\n"), .failed, toErrors: toErrors)
        }
    }

    private mutating func explainAsAnsible(
        _ result: TaskResult, _ info: TaskInfo, _ isUnreachable: Bool, on terminal: Terminal
    ) {
        if isUnreachable || result.isHidden { return }
        let text = "[ERROR]: " + ansibleText(result, info)
        guard told.insert(text).inserted else { return }
        // What an include does not find is no result of a module: Ansible tells of it on standard error.
        let toErrors = toErrors || Self.isMissingInclude(result)
        terminal.line(text, .failed, toErrors: toErrors)
        terminal.line("", toErrors: toErrors, logged: "")
    }

    private static func isMissingInclude(_ result: TaskResult) -> Bool {
        result.diagnostic != nil && result.result["msg"] == nil && result.result["reason"] != nil
    }

    private mutating func ansibleText(_ result: TaskResult, _ info: TaskInfo) -> String {
        if var diagnostic = result.diagnostic, Self.isMissingInclude(result) {
            // Of a file that is not there Ansible does not say who asked for it.
            if diagnostic.place == info.place { diagnostic.place = nil }
            return excerpts.located(diagnostic).ansibleText
        }
        let prefix = "Task failed: "
        var own = result.diagnostic?.message ?? result.result["msg"]?.pythonText ?? ""
        if own.hasPrefix(prefix) { own.removeFirst(prefix.count) }
        let moduleFailed = "Module failed: "
        if own.hasPrefix(moduleFailed) { own.removeFirst(moduleFailed.count) }
        let origin = info.place.map { Diagnostic.origin(of: excerpts.located($0)) } ?? []
        let way = info.place.flatMap { inclusions.note(of: $0.file.name) }
        if let place = result.diagnostic?.place, place != info.place {
            // What is said in the result counts: it says what was being done, too.
            if let told = result.result["msg"]?.text, told.hasPrefix(prefix) {
                own = String(told.dropFirst(prefix.count))
            }
            var steps = Self.steps(own)
            var cause = Diagnostic(steps.removeLast(), at: excerpts.located(place))
            cause.hint = result.diagnostic?.hint
            // The rest is said above.
            cause.notes = result.diagnostic?.notes.filter { !$0.hasPrefix("on host ") && !$0.hasPrefix("while ") } ?? []
            cause.notes += way.map { [$0] } ?? []
            let first = steps.isEmpty ? "Task failed." : prefix + steps.removeFirst()
            var parts = ["\(prefix)\(own)", "", first] + origin
            for step in steps + [cause.ansibleText] { parts += ["", "<<< caused by >>>", "", step] }
            return parts.joined(separator: "\n")
        }
        if result.diagnostic == nil, !own.hasPrefix("Timed out after ") {
            let judgements = ["failed_when_result", "changed_when_result", "async_result"]
            let isJudged = judgements.contains { result.result[.string(Text($0))] != nil }
            let isAction = isJudged || Self.actions.contains(info.module)
            own = (isAction ? "Action failed" : "Module failed") + (own.isEmpty ? "." : ": \(own)")
        }
        return ([prefix + own] + origin + (way.map { ["", $0] } ?? [])).joined(separator: "\n") + "\n"
    }

    /// What was being done to a task's arguments, outermost first, and at last what went wrong.
    private static func steps(_ message: String) -> [String] {
        let beginnings = ["Finalization of task args for '", "Error while resolving value for '"]
        var rest = message
        var steps: [String] = []
        for beginning in beginnings {
            guard rest.hasPrefix(beginning), let end = rest.firstRange(of: "' failed: ") else { break }
            steps.append(rest[..<end.lowerBound] + "' failed.")
            rest = String(rest[end.upperBound...])
        }
        return steps + [rest]
    }

    /// What Ansible runs on the controller.
    private static let actions: Set<String> = [
        "assert", "debug", "fail", "set_fact", "set_stats", "pause", "include_vars", "add_host", "group_by",
        "validate_argument_spec", "wait_for_connection", "reboot", "gather_facts",
    ]
}
