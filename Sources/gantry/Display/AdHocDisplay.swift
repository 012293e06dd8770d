import Controller
import Synchronization
import Values
import Wire

/// `gantry run`: each host's result as `ansible` prints it.
final class AdHocDisplay: EventSink {
    private let terminal: Mutex<TerminalBox>
    private let options: DisplayOptions
    private let text: ResultText
    private struct TerminalBox: ~Copyable { let terminal: Terminal }

    init(_ options: DisplayOptions, environment: [String: String], colour: ColourChoice) {
        self.options = options
        text = ResultText(verbosity: options.verbosity, diffContext: options.diffContext)
        let terminal = Terminal(environment: environment, forcesColour: colour == .forced, noColour: colour == .none)
        self.terminal = Mutex(TerminalBox(terminal: terminal))
    }

    func show(_ event: RunEvent) {
        switch event {
        case .result(let host, let info, let result): self.result(host, info, result)
        case .message(let host, let diagnostic):
            line(diagnostic.shown(on: host), .warning, toErrors: true)
        default: break
        }
    }

    private func line(_ text: String, _ colour: Colour?, toErrors: Bool = false) {
        terminal.withLock { $0.terminal.line(text, colour, toErrors: toErrors) }
    }

    private func result(_ host: String, _ info: TaskInfo, _ result: TaskResult) {
        let (word, colour) = self.word(result)
        if options.diffContext >= 0, result.result["changed"]?.isTrue ?? false {
            for diff in text.diff(result.diff) { line(diff, nil) }
        }
        let printsOutput = ["command", "shell", "raw", "script"].contains(info.module)
        if result.status == .skipped { return line("\(host) | \(word)", colour) }
        if options.isOneLine { return line(oneLine(host, word, info, result, printsOutput), colour) }
        if printsOutput, result.result["rc"] != nil, result.status != .unreachable {
            let head = "\(host) | \(word) | rc=\(result.result["rc"]?.pythonText ?? "-1") >>"
            var body = (result.result["stdout"]?.pythonText ?? "") + (result.result["stderr"]?.pythonText ?? "")
            // Without anything between, as Ansible has it.
            if result.status == .failed { body += result.result["msg"]?.text ?? "" }
            return line(head + "\n" + body, colour)
        }
        let arrow = result.status == .failed || result.status == .unreachable ? "!" : ""
        let always = result.result.merging(["_ansible_verbose_always": true]) { $1 }
        line("\(host) | \(word)\(arrow) => \(text.dump(always, action: info.module))", colour)
    }

    private func oneLine(
        _ host: String, _ word: String, _ info: TaskInfo, _ result: TaskResult, _ printsOutput: Bool
    ) -> String {
        switch result.status {
        case .unreachable: return "\(host) | \(word)!: \(flat(result, "msg"))"
        case _ where printsOutput && result.result["stdout"] != nil:
            let output = "rc=\(result.result["rc"]?.pythonText ?? "0") | (stdout) \(flat(result, "stdout"))"
            return "\(host) | \(word) | \(output)\(errors(result))"
        default:
            let arrow = result.status == .failed ? "! =>" : " =>"
            return "\(host) | \(word)\(arrow) \(text.dump(result.result, action: info.module, isOneLine: true))"
        }
    }

    private func flat(_ result: TaskResult, _ key: String) -> String {
        (result.result[key]?.pythonText ?? "").split(separator: "\n").joined(separator: "\\n")
    }

    private func errors(_ result: TaskResult) -> String {
        let text = flat(result, "stderr")
        return text.isEmpty ? "" : " (stderr) \(text)"
    }

    private func word(_ result: TaskResult) -> (String, Colour) {
        switch result.status {
        case .failed: ("FAILED", .failed)
        case .unreachable: ("UNREACHABLE", .unreachable)
        case .skipped: ("SKIPPED", .skipped)
        case .changed: ("CHANGED", .changed)
        default: ("SUCCESS", .ok)
        }
    }
}
