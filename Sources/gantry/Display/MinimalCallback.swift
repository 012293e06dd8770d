import Controller
import Values
import Wire

/// Each host's result and nothing else: how `ansible` shows what it ran.
final class MinimalCallback: Callback {
    private let setting: CallbackSetting
    private let text: ResultText
    private var terminal: Terminal { setting.terminal }
    private var messages: MessageLines

    init(_ setting: CallbackSetting) {
        self.setting = setting
        text = setting.text
        messages = MessageLines(toErrors: false, showsDeprecations: setting.flag(.deprecationWarnings))
    }

    func show(_ event: RunEvent) {
        switch event {
        case .result(let host, let info, let result): self.result(host, info, result)
        case .message(let host, let diagnostic): messages.show(diagnostic, host, on: terminal)
        default: break
        }
    }

    private func result(_ host: String, _ info: TaskInfo, _ result: TaskResult) {
        if result.result["changed"]?.isTrue ?? false {
            for line in text.diff(result.diff) { terminal.line(line) }
        }
        messages.warnings(of: result, on: terminal)
        let (word, colour) = Outcome.word(result)
        let isLoop = result.result["results"] != nil
        if MessageForm.current == .ansible, !isLoop, [.failed, .ignored].contains(result.status) {
            messages.explain(result, info, on: terminal)
        }
        if result.status == .skipped { return terminal.line("\(host) | \(word)", colour) }
        if Outcome.printsOutput(info, result) {
            let head = "\(host) | \(word) | rc=\(result.result["rc"]?.pythonText ?? "-1") >>"
            // Without anything between, as Ansible has it.
            let body = ["stdout", "stderr", "msg"].map { result.result[$0]?.pythonText ?? "" }.joined()
            return terminal.line("\(head)\n\(body)\n", colour)
        }
        let arrow = [.failed, .ignored, .unreachable].contains(result.status) ? "!" : ""
        let dump = text.dump(result.result, action: info.module, indent: 4)
        terminal.line("\(host) | \(word)\(arrow) => \(dump)", colour)
    }
}

/// Each host's result on one line.
final class OnelineCallback: Callback {
    private let text: ResultText
    private let terminal: Terminal
    private var messages: MessageLines

    init(_ setting: CallbackSetting) {
        text = setting.text
        terminal = setting.terminal
        messages = MessageLines(toErrors: false, showsDeprecations: setting.flag(.deprecationWarnings))
    }

    func show(_ event: RunEvent) {
        switch event {
        case .result(let host, let info, let result): self.result(host, info, result)
        case .message(let host, let diagnostic): messages.show(diagnostic, host, on: terminal)
        default: break
        }
    }

    private func result(_ host: String, _ info: TaskInfo, _ result: TaskResult) {
        let (word, colour) = Outcome.word(result)
        switch result.status {
        case .skipped: terminal.line("\(host) | \(word)", colour)
        case .unreachable: terminal.line("\(host) | \(word)!: \(flat(result, "msg"))", colour)
        case .failed, .ignored: failure(host, info, result)
        case _ where Outcome.printsOutput(info, result):
            terminal.line(output(host, word, result), colour)
        default: terminal.line("\(host) | \(word) => \(dump(result))", colour)
        }
    }

    /// Something of what went wrong, and everything.
    private func failure(_ host: String, _ info: TaskInfo, _ result: TaskResult) {
        // The items of a loop failed each in its own way.
        if result.result["results"] == nil {
            if Outcome.printsOutput(info, result) {
                terminal.line(output(host, "FAILED", result), .failed)
            } else {
                let head = text.verbosity > 2
                    ? "The full traceback is:\n" : "To see the full traceback, use -vvv. The error was: "
                terminal.line(
                    "An exception occurred during task execution. \(head)(traceback unavailable)", .failed)
            }
        }
        terminal.line("\(host) | FAILED! => \(dump(result))", .failed)
    }

    private func output(_ host: String, _ word: String, _ result: TaskResult) -> String {
        let errors = flat(result, "stderr")
        let code = result.result["rc"]?.pythonText ?? "-1"
        return "\(host) | \(word) | rc=\(code) | (stdout) \(flat(result, "stdout"))"
            + (errors.isEmpty ? "" : " (stderr) \(errors)")
    }

    /// Everything: what `debug` does not usually show, too.
    private func dump(_ result: TaskResult) -> String {
        text.dump(result.result, action: "", indent: 0).split(separator: "\n", omittingEmptySubsequences: false)
            .joined()
    }

    private func flat(_ result: TaskResult, _ key: String) -> String {
        (result.result[key]?.pythonText ?? "").reduce(into: "") { text, character in
            switch character {
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\r\n": text += "\\r\\n"
            default: text.append(character)
            }
        }
    }
}

/// A result in one word.
enum Outcome {
    static func word(_ result: TaskResult) -> (String, Colour) {
        switch result.status {
        case .failed, .ignored: ("FAILED", .failed)
        case .unreachable: ("UNREACHABLE", .unreachable)
        case .skipped: ("SKIPPED", .skipped)
        case .changed: ("CHANGED", .changed)
        default: result.result["changed"]?.isTrue ?? false ? ("CHANGED", .changed) : ("SUCCESS", .ok)
        }
    }

    /// Commands show what they printed, others what they returned.
    static func printsOutput(_ info: TaskInfo, _ result: TaskResult) -> Bool {
        ["command", "shell", "raw"].contains(info.module) && result.status != .unreachable
            && result.result["ansible_job_id"] == nil
    }
}
