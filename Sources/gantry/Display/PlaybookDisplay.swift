import Controller
import Synchronization
import Values
import Wire

/// A run as Ansible's default callback prints it, with a live line on a terminal.
final class PlaybookDisplay: EventSink {
    private struct State: ~Copyable {
        let terminal: Terminal
        var live: LiveLine
        var isFirst = true
        var printedWarnings: Set<String> = []
        var custom: [(host: String, values: Dict)] = []
        var runStats = Dict()
        var excerpts = Excerpts()
    }

    private let state: Mutex<State>
    private let options: DisplayOptions
    private let text: ResultText

    init(_ options: DisplayOptions, environment: [String: String], colour: ColourChoice, logPath: String?) {
        self.options = options
        text = ResultText(verbosity: options.verbosity, diffContext: options.diffContext)
        let terminal = Terminal(environment: environment, forcesColour: colour == .forced, noColour: colour == .none)
        if let logPath { terminal.logs(to: logPath) }
        state = Mutex(State(terminal: terminal, live: LiveLine()))
    }

    func show(_ event: RunEvent) {
        state.withLock { state in
            print(event, &state)
            state.terminal.show(live: state.live.text)
        }
    }

    /// A line that is no event of the run.
    func say(_ line: String, warning: Bool = false) {
        state.withLock { $0.terminal.line(line, warning ? .warning : nil, toErrors: true) }
    }

    private func print(_ event: RunEvent, _ state: inout State) {
        switch event {
        case .play(let name, _, _):
            banner(name.isEmpty ? "PLAY" : "PLAY [\(name)]" + marker, &state)
            state.live.clear()
        case .noHostsMatched: state.terminal.line("skipping: no hosts matched", .skipped)
        case .noHostsLeft: banner("NO MORE HOSTS LEFT", &state)
        case .task(let info, _):
            banner("\(info.isHandler ? "RUNNING HANDLER" : "TASK") [\(info.name)]" + marker, &state)
            if options.verbosity >= 2, let place = info.place {
                state.terminal.line("task path: \(place.file):\(place.line)", .debug)
            }
        case .item(let host, let info, let result): item(host, info, result, &state)
        case .result(let host, let info, let result): self.result(host, info, result, &state)
        case .retry(let host, let info, let left):
            state.terminal.line("FAILED - RETRYING: [\(host)]: \(info.name) (\(left) retries left).", .debug)
        case .included(let hosts, let path, let label):
            let item = label.isEmpty ? "" : " => (item=\(label))"
            state.terminal.line("included: \(path) for \(hosts.joined(separator: ", "))\(item)", .skipped)
        case .notified(let host, let handler):
            if options.verbosity > 1 { state.terminal.line("NOTIFIED HANDLER \(handler) for \(host)", .verbose) }
        case .message(let host, let diagnostic): message(host, diagnostic, &state)
        case .stats(let host, let values, let perHost, let aggregate): collect(host, values, perHost, aggregate, &state)
        case .activity(let host, let info): state.live.note(host, info)
        case .rescued, .addHost, .groupBy: break
        case .recap(let hosts): recap(hosts, &state)
        }
    }

    private var marker: String { options.checkMode && options.checkMarkers ? " [CHECK MODE]" : "" }

    private func banner(_ message: String, _ state: inout State) {
        let stars = max(3, state.terminal.columns - message.count)
        state.terminal.line("\n" + message + " " + String(repeating: "*", count: stars))
    }

    // MARK: Results

    private func label(_ host: String, _ result: TaskResult) -> String {
        result.delegate.map { $0 == host ? host : "\(host) -> \($0)" } ?? host
    }

    private func item(_ host: String, _ info: TaskInfo, _ result: TaskResult, _ state: inout State) {
        warn(result, &state)
        let name = label(host, result)
        let item = result.label ?? ""
        switch result.status {
        case .failed, .unreachable:
            diff(result, &state)
            explain(result, &state)
            let dump = text.dump(result.result, action: info.module)
            state.terminal.line(
                "failed: [\(name)] (item=\(item)) => \(dump)", .failed, toErrors: options.failuresToErrors)
        case .skipped:
            guard options.showsSkipped else { return }
            state.terminal.line("skipping: [\(host)] => (item=\(item)) " + details(result, info), .skipped)
        default:
            diff(result, &state)
            let changed = result.status == .changed
            guard changed || options.showsOK else { return }
            state.terminal.line(
                "\(changed ? "changed" : "ok"): [\(name)] => (item=\(item))" + details(result, info),
                changed ? .changed : .ok)
        }
    }

    private func details(_ result: TaskResult, _ info: TaskInfo) -> String {
        text.isVerbose(result.result) ? " => " + text.dump(result.result, action: info.module) : ""
    }

    private func result(_ host: String, _ info: TaskInfo, _ result: TaskResult, _ state: inout State) {
        let isInclude = ["include_tasks", "include_role", "include"].contains(info.module)
        guard !isInclude || result.status != .ok else { return }
        state.live.note(host, nil)
        let isLoop = result.result["results"] != nil
        if !isLoop { warn(result, &state) }
        let name = label(host, result)
        switch result.status {
        case .rescued: return
        case .skipped:
            guard options.showsSkipped else { return }
            let shown = isLoop && !text.isVerbose(result.result)
            state.terminal.line("skipping: [\(host)]" + (shown ? "" : details(result, info)), .skipped)
        case .failed, .ignored, .unreachable: failure(name, info, result, isLoop, &state)
        case .ok, .changed:
            if isLoop { return }
            diff(result, &state)
            let changed = result.status == .changed
            guard changed || options.showsOK else { return }
            state.terminal.line(
                "\(changed ? "changed" : "ok"): [\(name)]" + details(result, info), changed ? .changed : .ok)
        }
    }

    private func failure(
        _ name: String, _ info: TaskInfo, _ result: TaskResult, _ isLoop: Bool, _ state: inout State
    ) {
        let isUnreachable = result.result["unreachable"]?.isTrue ?? (result.status == .unreachable)
        if !isLoop {
            diff(result, &state)
            explain(result, &state)
            if result.diagnostic?.place == nil, !isUnreachable, let place = info.place {
                let name = info.name.isEmpty ? info.module : info.name
                state.terminal.line(
                    "\(place): error: task '\(name)' failed", .failed, toErrors: options.failuresToErrors)
            }
            let dump = text.dump(result.result, action: info.module)
            state.terminal.line(
                "fatal: [\(name)]: \(isUnreachable ? "UNREACHABLE" : "FAILED")! => \(dump)",
                isUnreachable ? .unreachable : .failed, toErrors: options.failuresToErrors)
        }
        if result.status == .ignored { state.terminal.line("...ignoring", .skipped) }
    }

    /// Where the mistake is, above the result.
    private func explain(_ result: TaskResult, _ state: inout State) {
        guard let diagnostic = result.diagnostic, diagnostic.place != nil else { return }
        let text = state.excerpts.located(diagnostic).rendered
        state.terminal.line(text, .failed, toErrors: options.failuresToErrors)
    }

    private func diff(_ result: TaskResult, _ state: inout State) {
        guard result.result["changed"]?.isTrue ?? false else { return }
        for line in text.diff(result.diff) {
            let colour: Colour? =
                line.hasPrefix("+") ? .ok : line.hasPrefix("-") ? .failed : line.hasPrefix("@@") ? .skipped : nil
            state.terminal.line(line, colour)
        }
    }

    private func warn(_ result: TaskResult, _ state: inout State) {
        for warning in result.warnings where state.printedWarnings.insert(warning).inserted {
            state.terminal.line("[WARNING]: \(warning)", .warning, toErrors: true)
        }
    }

    private func message(_ host: String?, _ diagnostic: Diagnostic, _ state: inout State) {
        let prefix = host.map { "\($0): " } ?? ""
        let text = state.excerpts.located(diagnostic).rendered
        guard state.printedWarnings.insert(prefix + text).inserted else { return }
        state.terminal.line(
            prefix + text, diagnostic.severity == .warning ? .warning : .failed, toErrors: true)
    }

    // MARK: The end

    private func collect(
        _ host: String, _ values: Dict, _ perHost: Bool, _ aggregate: Bool, _ state: inout State
    ) {
        func added(_ old: Value?, _ new: Value) -> Value {
            guard aggregate, let old else { return new }
            switch (old, new) {
            case (.int(let a), .int(let b)): return .int(a &+ b)
            case (.list(let a), .list(let b)): return .list(a + b)
            case (.dict(let a), .dict(let b)): return .dict(a.merging(b) { $1 })
            default: return new
            }
        }
        if perHost {
            var known = state.custom.first { $0.host == host }?.values ?? Dict()
            for (key, value) in values { known[key] = added(known[key], value) }
            state.custom.removeAll { $0.host == host }
            state.custom.append((host, known))
        } else {
            for (key, value) in values { state.runStats[key] = added(state.runStats[key], value) }
        }
    }

    private func recap(_ hosts: [(host: String, HostCounts)], _ state: inout State) {
        state.live.clear()
        banner("PLAY RECAP", &state)
        let colours: [Colour] = [.ok, .changed, .unreachable, .failed, .skipped, .ok, .warning]
        for (host, counts) in hosts {
            let fields = zip(counts.pairs, colours).map { pair, colour in
                let field = padded("\(pair.name)=\(padded(String(pair.count), 4))", 0)
                return pair.count == 0 ? field : state.terminal.coloured(field, colour)
            }
            let hostColour: Colour =
                counts.failed > 0 || counts.unreachable > 0 ? .failed : counts.changed > 0 ? .changed : .ok
            let name = state.terminal.coloured(padded(host, 26), hostColour)
            state.terminal.line("\(name) : " + fields.joined(separator: " "))
        }
        state.terminal.line("")
        showStats(&state)
    }

    private func showStats(_ state: inout State) {
        guard options.customStats, !state.custom.isEmpty || !state.runStats.isEmpty else { return }
        banner("CUSTOM STATS: ", &state)
        let style = JSONStyle(sortKeys: true, asciiOnly: false)
        for (host, values) in state.custom.sorted(by: { $0.host < $1.host }) {
            state.terminal.line("\t\(host): \(Value.dict(values).json(style))")
        }
        if !state.runStats.isEmpty {
            state.terminal.line("\n\tRUN: \(Value.dict(state.runStats).json(style))\n")
        }
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

enum ColourChoice: Sendable { case automatic, forced, none }

/// What runs on which hosts, and since when.
struct LiveLine {
    private var running: [String: (task: String, since: ContinuousClock.Instant)] = [:]

    mutating func note(_ host: String, _ info: TaskInfo?) {
        running[host] = info.map { ($0.name.isEmpty ? $0.module : $0.name, .now) }
    }
    mutating func clear() { running = [:] }

    var text: String {
        guard let longest = running.min(by: { $0.value.since < $1.value.since }) else { return "" }
        let seconds = longest.value.since.duration(to: .now).components.seconds
        let hosts = running.filter { $0.value.task == longest.value.task }.keys.sorted()
        let names = hosts.prefix(3).joined(separator: ", ") + (hosts.count > 3 ? " and \(hosts.count - 3) more" : "")
        let others = running.count - hosts.count
        return "… \(longest.value.task) on \(names), \(seconds) s" + (others > 0 ? "; \(others) hosts elsewhere" : "")
    }
}
