import Controller
import Values
import Wire

/// A run as Ansible's default callback prints it, with a live line on a terminal.
final class DefaultCallback: Callback {
    private let options: DisplayOptions
    private let text: ResultText
    private let terminal: Terminal
    private var live = LiveLine()
    private var stats = CustomStats()
    private var messages: MessageLines
    /// The task in hand.
    private var task: TaskInfo?
    /// The header of the task in hand, as long as nothing of it was shown.
    private var header: TaskInfo?
    private var started: Set<String> = []
    private var hasBegun = false

    init(_ setting: CallbackSetting) {
        options = setting.options
        text = setting.text
        terminal = setting.terminal
        messages = MessageLines(
            toErrors: options.failuresToErrors, showsDeprecations: setting.flag(.deprecationWarnings),
            inclusions: options.inclusions)
    }

    func show(_ event: RunEvent) {
        print(event)
        terminal.show(live: live.text)
    }

    private func print(_ event: RunEvent) {
        switch event {
        case .play(let name, _, _, let checkMode):
            begin()
            terminal.banner((name.isEmpty ? "PLAY" : "PLAY [\(name)]") + marker(checkMode ?? options.checkMode))
            live.clear()
        case .noHostsMatched: terminal.line("skipping: no hosts matched", .skipped)
        case .noHostsLeft: terminal.banner("NO MORE HOSTS LEFT")
        case .task(let info, _):
            header = info
            task = info
            started = []
            // Where results may be hidden, a header waits for one that is shown.
            if options.showsOK, options.showsSkipped { showHeader() }
        case .item(let host, let info, let result): item(host, info, result)
        case .result(let host, let info, let result):
            trace(host, info)
            self.result(host, info, result)
        case .meta(let host, let info, let result): meta(host, info, result)
        case .retry(let host, let info, let left):
            terminal.line("FAILED - RETRYING: [\(host)]: \(info.name) (\(left) retries left).", .debug)
        case .polled(let host, _, let job):
            terminal.line("ASYNC POLL on \(host): jid=\(job) started=True finished=False", .debug)
        case .included(let hosts, let path, let label):
            messages.inclusions.note(shown(path, in: Disk.absolute(".")), namedAt: task?.place)
            showHeader()
            let item = label.isEmpty ? "" : " => (item=\(label))"
            terminal.line("included: \(path) for \(hosts.joined(separator: ", "))\(item)", .included)
        case .notified(let host, let handler):
            if options.verbosity > 1 {
                terminal.line("NOTIFIED HANDLER \(handler) for \(host)", .verbose, logged: "")
            }
        case .message(let host, let diagnostic): messages.show(diagnostic, host, on: terminal)
        case .stats(let host, let values, let perHost, let aggregate):
            stats.collect(host, values, perHost: perHost, aggregate: aggregate)
        case .activity(let host, let info): live.note(host, info)
        case .answered(let question): terminal.banner(question)
        case .rescued, .redone, .addHost, .groupBy: break
        case .recap(let hosts):
            begin()
            live.clear()
            recap(hosts)
        }
    }

    private func begin() {
        guard !hasBegun else { return }
        hasBegun = true
        if options.verbosity > 1, let playbook = options.playbooks.first {
            terminal.banner("PLAYBOOK: \(playbook.split(separator: "/").last ?? "")")
            if options.playbooks.count == 1 {
                terminal.line("\(options.playCount) plays in \(playbook)", .verbose, logged: "")
            }
        }
        if options.verbosity > 3, !options.playbooks.isEmpty {
            terminal.line(
                "Positional arguments: \(options.playbooks.joined(separator: " "))", .verbose, logged: "")
        }
        if options.checkMode, options.checkMarkers { terminal.banner("DRY RUN") }
    }

    private func marker(_ isCheck: Bool) -> String { isCheck && options.checkMarkers ? " [CHECK MODE]" : "" }

    /// Once a task.
    private func showHeader() {
        guard let info = header else { return }
        header = nil
        terminal.banner("\(info.isHandler ? "RUNNING HANDLER" : "TASK") [\(info.name)]" + marker(info.isCheck))
        if options.verbosity >= 2 { path(info) }
    }

    private func path(_ info: TaskInfo) {
        guard let place = info.place else { return }
        terminal.line("task path: \(Disk.absolute(place.file.name)):\(place.line)", .debug)
    }

    /// For a log with many words: what ran where.
    private func trace(_ host: String, _ info: TaskInfo) {
        guard options.logVerbosity > 2, options.logVerbosity > options.verbosity else { return }
        terminal.note("<\(host)> EXEC \(info.module), by the agent")
    }

    private func start(_ host: String, _ info: TaskInfo) {
        guard options.perHostStart, started.insert(host).inserted else { return }
        terminal.line(" [started \(info.isHandler ? "HANDLER" : "TASK"): \(info.name) on \(host)]", .ok)
    }

    // MARK: Results

    private func label(_ host: String, _ result: TaskResult) -> String {
        result.delegate.map { $0 == host ? host : "\(host) -> \($0)" } ?? host
    }

    private func item(_ host: String, _ info: TaskInfo, _ result: TaskResult) {
        start(host, info)
        showJob(host, info, result)
        let name = label(host, result)
        let item = result.label ?? ""
        switch result.status {
        case .failed, .ignored, .unreachable:
            showHeader()
            messages.warnings(of: result, on: terminal)
            diff(result)
            messages.explain(result, info, on: terminal)
            let dump = text.dump(result.result, action: info.module)
            terminal.line("failed: [\(name)] (item=\(item)) => \(dump)", .failed, toErrors: options.failuresToErrors)
        case .skipped:
            guard options.showsSkipped else { return }
            showHeader()
            messages.warnings(of: result, on: terminal)
            terminal.line("skipping: [\(host)] => (item=\(item)) " + details(result, info), .skipped)
        default:
            diff(result)
            guard showsSuccess(result) else { return }
            messages.warnings(of: result, on: terminal)
            let changed = hasChanged(result)
            terminal.line(
                "\(changed ? "changed" : "ok"): [\(name)] => (item=\(item))" + details(result, info),
                changed ? .changed : .ok)
        }
    }

    private func details(_ result: TaskResult, _ info: TaskInfo) -> String {
        text.isVerbose(result.result) ? " => " + text.dump(result.result, action: info.module) : ""
    }

    private func hasChanged(_ result: TaskResult) -> Bool {
        result.status == .changed || result.result["changed"]?.isTrue ?? false
    }

    private func showsSuccess(_ result: TaskResult) -> Bool {
        guard hasChanged(result) || options.showsOK else { return false }
        showHeader()
        return true
    }

    private func result(_ host: String, _ info: TaskInfo, _ result: TaskResult) {
        let isInclude = ["include_tasks", "include_role", "include"].contains(info.module)
        guard !isInclude || result.status != .ok else { return }
        start(host, info)
        live.note(host, nil)
        showJob(host, info, result)
        let isLoop = result.isLoop
        switch result.status {
        case .rescued: return
        case .skipped:
            guard options.showsSkipped else { return }
            showHeader()
            if !isLoop { messages.warnings(of: result, on: terminal) }
            let shown = isLoop && !text.isVerbose(result.result)
            var told = result
            // The items told of themselves.
            if isLoop { told.result["results"] = nil }
            terminal.line("skipping: [\(host)]" + (shown ? "" : details(told, info)), .skipped)
        case .failed, .ignored, .unreachable: failure(label(host, result), info, result, isLoop)
        case .ok, .changed:
            if isLoop { return }
            diff(result)
            guard showsSuccess(result) else { return }
            messages.warnings(of: result, on: terminal)
            let changed = hasChanged(result)
            terminal.line(
                "\(changed ? "changed" : "ok"): [\(label(host, result))]" + details(result, info),
                changed ? .changed : .ok)
        }
    }

    private func meta(_ host: String, _ info: TaskInfo, _ result: TaskResult) {
        let isSkipped = result.status == .skipped
        let text = result.result[isSkipped ? "skip_reason" : "msg"]?.pythonText ?? ""
        if info.isImplicit ? options.isDebugging : options.verbosity >= 2 {
            terminal.line("META: \(text)", .verbose, logged: "")
        }
        guard isSkipped, options.showsSkipped else { return }
        showHeader()
        terminal.line("skipping: [\(host)]" + details(result, info), .skipped)
    }

    /// The end of what ran in the background and was waited for.
    private func showJob(_ host: String, _ info: TaskInfo, _ result: TaskResult) {
        let unfinished = result.result["async_result"]?["ansible_job_id"]?.text
        guard info.module != "async_status", let job = unfinished ?? result.result["ansible_job_id"]?.text,
            unfinished != nil || result.result["finished"]?.isTrue ?? false
        else { return }
        let isFailed = [.failed, .ignored].contains(result.status)
        terminal.line("ASYNC \(isFailed ? "FAILED" : "OK") on \(host): jid=\(job)", .debug)
    }

    private func failure(_ name: String, _ info: TaskInfo, _ result: TaskResult, _ isLoop: Bool) {
        showHeader()
        let isUnreachable = result.result["unreachable"]?.isTrue ?? (result.status == .unreachable)
        if !isLoop {
            messages.warnings(of: result, on: terminal)
            diff(result)
            messages.explain(result, info, isUnreachable: isUnreachable, on: terminal)
        }
        // The items told their failures; Ansible tells once more that there were some of `debug`, and that the host
        // cannot be reached.
        if !isLoop || isUnreachable || info.module == "debug" {
            if options.pathOnFailure, options.verbosity < 2, !isUnreachable { path(info) }
            var shown = result.result
            if isLoop, !isUnreachable { shown["results"] = nil }
            terminal.line(
                "fatal: [\(name)]: \(isUnreachable ? "UNREACHABLE" : "FAILED")! => "
                    + text.dump(shown, action: info.module),
                isUnreachable ? .unreachable : .failed, toErrors: options.failuresToErrors)
        }
        if result.status == .ignored { terminal.line("...ignoring", .skipped) }
    }

    private func diff(_ result: TaskResult) {
        guard result.result["changed"]?.isTrue ?? false else { return }
        let lines = text.diff(result.diff)
        if !lines.isEmpty { showHeader() }
        for line in lines {
            let colour: Colour? =
                line.hasPrefix("+") ? .added : line.hasPrefix("-") ? .removed : line.hasPrefix("@@") ? .hunk : nil
            terminal.line(line, colour)
        }
    }

    // MARK: The end

    private func recap(_ hosts: [(host: String, HostCounts)]) {
        terminal.banner("PLAY RECAP")
        let colours: [Colour] = [.ok, .changed, .unreachable, .failed, .skipped, .ok, .warning]
        for (host, counts) in hosts {
            let fields = counts.pairs.map { "\($0.name)=\(padded(String($0.count), 4))" }
            let shown = zip(zip(counts.pairs, fields), colours).map { entry, colour in
                entry.0.count == 0 ? entry.1 : terminal.coloured(entry.1, colour)
            }
            let hostColour: Colour =
                counts.failed > 0 || counts.unreachable > 0 ? .failed : counts.changed > 0 ? .changed : .ok
            let plain = "\(padded(host, 26)) : " + fields.joined(separator: " ")
            // The codes of the colours take eleven characters of the column, too.
            let name = terminal.usesColour
                ? padded(terminal.coloured(host, hostColour), 37) : padded(host, 26)
            terminal.line("\(name) : " + shown.joined(separator: " "), logged: plain)
        }
        terminal.line("", logged: "")
        if options.customStats { stats.show(on: terminal, text) }
        if options.checkMode, options.checkMarkers { terminal.banner("DRY RUN") }
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
