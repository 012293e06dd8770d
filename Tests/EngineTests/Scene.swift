import Crypto
import Engine
import Machine
import MachineFakes
import Playbooks
import Synchronization
import Templates
import Values
import Wire
import YAML

/// A project in memory.
final class MemoryFiles: ProjectFiles {
    private let texts: [String: String]
    init(_ texts: [String: String]) { self.texts = texts }

    func kind(of path: String) -> ProjectFileKind? {
        if texts[path] != nil { return .file }
        return texts.keys.contains { $0.hasPrefix(path + "/") } ? .folder : nil
    }
    func contents(of path: String) throws(Diagnostic) -> [UInt8]? { texts[path].map { Array($0.utf8) } }
    func names(in folder: String) -> [String] {
        Set(texts.keys.filter { $0.hasPrefix(folder + "/") }.compactMap {
            $0.dropFirst(folder.count + 1).split(separator: "/").first.map(String.init)
        }).sorted()
    }
    func mode(of path: String) -> Int { 0o644 }
    func opened(_ text: String, path: String) throws(Diagnostic) -> (text: String, isSecret: Bool) { (text, false) }
    func decrypted(_ text: Text) throws(Diagnostic) -> Text {
        Text(text.string, mark: Mark(place: text.place, isSecret: true))
    }
    func digest(of contents: [UInt8]) -> String { DigestAlgorithm.sha256.hex(of: contents) }
}

/// A case as the engine gets it: plays planned for a host, with a machine in memory.
///
/// Beside the project, a case may have `machine` (a description, as YAML), `variables` (of the host), `settings` (of
/// the run: `tags`, `check`, …) and `answers` (what the coordinator says, see `ScriptedCoordinator`).
struct Scene {
    let plans: [PlayPlan]
    let machine: FakeMachine
    let answers: [String]
    /// Finds what includes name while the play runs.
    private let project: MemoryFiles
    private let plays: [Play]

    init(_ files: [String: String], hosts: [String] = ["web", "db"], host: String = "web") throws {
        func value(_ name: String) throws -> Value {
            guard let text = files[name] else { return .dict(Dict()) }
            let file = SourceFile(name: name, text: text)
            return try YAMLReader.documents(text, file: file).nodes.first?.value(ValueOptions()) ?? .dict(Dict())
        }
        let project = MemoryFiles(files)
        let templater = Templater()
        let extra = try value("extra").dict ?? Dict()
        let loader = Loader(files: project, options: LoaderOptions(extra: extra), templater: templater)
        let planner = Planner(files: project, templater: templater, home: nil)
        let settings = try value("settings")
        var context = PlanContext()
        context.extra = extra
        context.settings.tags = settings["tags"]?.list?.map(\.pythonText) ?? []
        context.settings.skipTags = settings["skip_tags"]?.list?.map(\.pythonText) ?? []
        context.settings.mergesHashes = settings["merge"]?.isTrue ?? false
        context.settings.checkMode = settings["check"]?.isTrue ?? false
        context.settings.forceHandlers = settings["force_handlers"]?.isTrue ?? false
        context.settings.debugs = settings["debugs"]?.isTrue ?? false
        context.settings.debuggerIgnoresErrors = settings["debugger_ignores_errors"]?.isTrue ?? true
        context.settings.step = settings["step"]?.isTrue ?? false
        context.settings.reportsVariables = settings["reports"]?.isTrue ?? false
        context.groups = ["all": .strings(hosts)]
        context.batch = hosts
        context.playHosts = hosts
        context.allPlayHosts = hosts
        let plays = try loader.plays(of: "site.yml")
        var variables = try value("variables").dict ?? Dict()
        if let own = variables[host]?.dict { variables = own }
        var plans: [PlayPlan] = []
        for (index, play) in plays.enumerated() {
            var plan = try planner.plan(play, index: index, host: host, variables: variables, own: Dict(), in: context)
            plan.pendingHandlers = settings["pending"]?.list?.map(\.pythonText) ?? []
            plans.append(plan)
        }
        self.plans = plans
        self.plays = plays
        self.project = project
        machine = try FakeMachine(description: try value("machine"))
        answers = (files["answers"] ?? "").split(separator: "\n").map(String.init)
    }

    /// The event log of all plays, with what changed on the machine.
    func log() -> String {
        let coordinator = ScriptedCoordinator(answers) { question, play in answer(question, plays[play]) }
        let executor = LocalExecutor(machine: machine)
        var state = HostState()
        for plan in plans {
            coordinator.play = plan.index
            coordinator.note("play \(plan.name)")
            let run = PlayRun(plan, state: state, coordinator: coordinator, executor: executor, templater: Templater())
            let end = run.run()
            state = run.state
            let ends = end.ends.map { " \($0)" } ?? ""
            let pending = end.pendingHandlers.isEmpty ? "" : " pending " + end.pendingHandlers.joined(separator: ", ")
            coordinator.note("end \(end.outcome)\(ends)\(pending)")
            if end.outcome != .completed { break }
        }
        // The names of jobs are different in every run.
        let edits = machine.edits.map { edit in
            let parts = edit.split(separator: "/")
            guard parts.dropLast().last == ".ansible_async" else { return "edit \(edit)" }
            return "edit \(parts.dropLast().joined(separator: "/"))/…"
        }
        return (coordinator.lines + edits).joined(separator: "\n") + "\n"
    }
}

extension Scene {
    /// Files of tasks and roles, from the project.
    private func answer(_ question: Question, _ play: Play) -> Answer {
        let loader = Loader(files: project, options: LoaderOptions(), templater: Templater())
        let inclusion = Inclusion(loader, play: play)
        switch question {
        case .tasks(let request): if let file = inclusion.tasks(request, at: nil) { return .tasks(file) }
        case .role(let request): if let role = inclusion.role(request, at: nil) { return .role(role) }
        default: break
        }
        return .failure(loader.diagnostics.first ?? Diagnostic("nothing was found"))
    }
}

/// Answers by a script, and keeps a line for everything that it was told or asked.
///
/// A line of the script is a question and its answer: `turn NAME stop`, `once NAME follow ok {…}`,
/// `lookup PLUGIN = VALUE`, `variable HOST.NAME = VALUE`, `delegate HOST = {…}`, `pause = TEXT`, and
/// `type LINE` and `step NAME no` for a person, and
/// `after NAME stop`: asked to stop once the task has ended. Values are JSON.
final class ScriptedCoordinator: Coordinator {
    private let script: [String]
    private(set) var lines: [String] = []
    /// What a person types, line by line.
    private var typed: [String]
    private(set) var stopReason: String?
    var play = 0
    private let search: (Question, Int) -> Answer
    /// Keys that are different in every run.
    private static let dropped: Set<String> = [
        "start", "end", "stop", "delta", "stdout_lines", "stderr_lines", "invocation", "exception",
        "ansible_job_id", "results_file", "async_result",
    ]

    init(_ script: [String], search: @escaping (Question, Int) -> Answer) {
        self.script = script
        typed = script.filter { $0.hasPrefix("type ") || $0 == "type" }.map { String($0.dropFirst(5)) }
        self.search = search
    }

    func note(_ line: String) { lines.append(line) }

    private func answer(to question: String) -> String? {
        script.first { $0.hasPrefix(question + " ") }.map { String($0.dropFirst(question.count + 1)) }
    }

    private func value(_ question: String) -> Value? {
        guard let answer = answer(to: question), answer.hasPrefix("= ") else { return nil }
        return try? Value(json: String(answer.dropFirst(2)))
    }

    func tell(_ event: Event) {
        switch event {
        case .started: break
        case .item(let at, let info, let result): note(at, info, result, " (item=\(result.label ?? ""))")
        case .result(let at, let info, let result):
            note(at, info, result, "")
            if answer(to: "after \(info.name)") == "stop" { stopReason = "interrupted" }
        case .included(let at, _, let path, let label): note("included \(short(at)) \(path) \(label)")
        case .passed(let at, let info): note("passed \(short(at)) \(info.name)")
        case .variables(let variables, let facts):
            note("known \(shown(variables)) facts \(facts.count)")
        case .notified(let handler, let at): note("notified \(short(at)) \(handler)")
        case .message(let diagnostic): note("message \(diagnostic.message)")
        case .addHost(let name, let groups, let variables): note("add \(name) \(groups) \(shown(variables))")
        case .groupBy(let group, let parents): note("group \(group) \(parents)")
        case .redone(let at, let statuses): note("redone \(short(at)) \(statuses.map(\.rawValue))")
        case .stats(let data, let perHost, _): note("stats \(shown(data)) \(perHost)")
        case .polled(let at, let info, _): note("polled \(short(at)) \(info.name)")
        case .retry(let at, let info, let left): note("retry \(short(at)) \(info.name) \(left)")
        }
    }

    private func note(_ at: Position, _ info: TaskInfo, _ result: TaskResult, _ item: String) {
        let kind = info.isHandler ? "handler " : ""
        let hidden = result.isHidden ? " hidden" : ""
        note("\(result.status) \(short(at)) \(kind)\(info.name)\(item)\(hidden) \(shown(result.result))")
        if let diagnostic = result.diagnostic {
            note("  \(diagnostic.place?.description ?? "-") \(diagnostic.message)")
        }
    }

    /// Without the numbers that only keep includes apart.
    private func short(_ position: Position) -> String {
        let parts = position.parts.map { $0 > 1 << 20 ? "*" : String($0) }
        return (parts.prefix(12) + (parts.count > 12 ? ["…"] : [])).joined(separator: ".")
    }

    private func shown(_ dict: Dict) -> String {
        let kept = dict.filter { !Self.dropped.contains($0.key.pythonText) && !$0.key.pythonText.hasPrefix("_") }
        return Value.dict(Dict(uniqueKeysWithValues: kept.elements)).json(JSONStyle(sortKeys: true))
    }

    func ask(_ question: Question) throws(Interruption) -> Answer {
        switch question {
        case .turn(let at, let info, let throttle):
            note("? turn \(short(at)) \(info.name)" + (throttle > 0 ? " throttled to \(throttle)" : ""))
            return answer(to: "turn \(info.name)") == "stop" ? .stop(reason: "others failed") : .proceed
        case .once(let at, let info):
            note("? once \(short(at)) \(info.name)")
            guard let words = answer(to: "once \(info.name)"), words.hasPrefix("follow ") else { return .proceed }
            let parts = words.split(separator: " ", maxSplits: 2).map(String.init)
            let result = (try? Value(json: parts[2]))?.dict ?? Dict()
            let status = Status(rawValue: parts[1]) ?? .ok
            return .once(TaskResult(status: status, result: result), variables: ["r": .dict(result)], facts: Dict())
        case .onceDone(let at, let result, let variables, _):
            note("! once \(short(at)) \(result.status) \(variables.names)")
            return .proceed
        case .lookup(let plugin, let terms, _, _):
            note("? lookup \(plugin) \(terms.map(\.pythonText))")
            return value("lookup \(plugin)").map { .values($0.list ?? [$0]) } ?? .failure(Diagnostic("no such lookup"))
        case .inventory: return .value(nil)
        case .hostVariable(let host, let name, let at):
            note("? variable \(short(at)) \(host).\(name ?? "*")")
            return .value(value("variable \(host).\(name ?? "*")"))
        case .delegate(let host, let call, let variables, let at, _):
            let reach = variables.isEmpty ? "" : " by \(shown(variables))"
            note("? delegate \(short(at)) \(call.module) to \(host)\(reach)")
            return .call(CallResult(result: value("delegate \(host)")?.dict ?? ["changed": false]))
        case .delegateFacts(let host, let facts, _):
            note("! facts of \(host) \(shown(facts))")
            return .proceed
        case .pause(let prompt, _, _, let at):
            note("? pause \(short(at)) \(prompt.split(separator: "\n"))")
            return .input(value("pause")?.pythonText ?? "", interrupted: false)
        case .line(let shown, let prompt, let at):
            let line = typed.isEmpty ? "EOF" : typed.removeFirst()
            for text in shown.split(separator: "\n", omittingEmptySubsequences: false).dropLast() { note("  \(text)") }
            note("? line \(short(at)) \(prompt)\(line)")
            return .input(line, interrupted: false)
        case .debugged(let shown, let ends):
            note("! debugged \(ends) \(shown.trimmed)")
            return ends ? .stop(reason: "interrupted") : .proceed
        case .step(let at, let info):
            note("? step \(short(at)) \(info.name)")
            return .value(.bool(answer(to: "step \(info.name)") != "no"))
        case .verdict(let at, let failed):
            note("? verdict \(short(at)) failed=\(failed)")
            return .value(value("verdict \(short(at))"))
        case .revival(let at, let isUnreachable):
            note("? revival \(short(at)) unreachable=\(isUnreachable)")
            return .value(value("revival \(short(at))"))
        case .brought(let at):
            note("? brought \(short(at))")
            let brought = value("brought \(short(at))")?.dict ?? Dict()
            return .once(TaskResult(status: .ok, result: Dict()), variables: brought, facts: Dict())
        case .meta(let action, let at):
            note("? meta \(short(at)) \(action)")
            return value("meta \(action)").map { .value($0) } ?? .proceed
        case .file(let request): return .file(nil, searched: ["nowhere for \(request.name)"])
        case .contents(_, let path): return .failure(Diagnostic("no content of '\(path)'"))
        case .tasks, .role: return search(question, play)
        case .module(let path): return .failure(Diagnostic("no module '\(path)'"))
        case .parts: return .parts([])
        case .keep(let file): return .failure(Diagnostic("nowhere to keep '\(file.source)'"))
        case .converse: return .asked(.null)
        case .plugin(_, let name, _, _): return .failure(Diagnostic("no plugin '\(name)'"))
        }
    }
}
