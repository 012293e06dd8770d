@testable import Controller
import Synchronization
import Values
import Wire

/// Bytes from one task to another.
final class Channel: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isClosed = false
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    func write(_ more: [UInt8]) {
        let waiter = state.withLock { state in
            state.bytes += more
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func close() {
        let waiter = state.withLock { state in
            state.isClosed = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func read() async -> [UInt8]? {
        while true {
            let taken: [UInt8]?? = state.withLock { state in
                if !state.bytes.isEmpty {
                    defer { state.bytes = [] }
                    return .some(state.bytes)
                }
                return state.isClosed ? .some(nil) : nil
            }
            if let taken { return taken }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.bytes.isEmpty || state.isClosed { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }
}

final class FakeLink: AgentLink {
    let toAgent = Channel()
    let toController = Channel()
    func send(_ bytes: [UInt8]) async throws(LinkError) { toAgent.write(bytes) }
    func receive() async throws(LinkError) -> [UInt8]? { await toController.read() }
    func finish() async { toAgent.close() }
    func end() async -> LinkEnd { .signalled("KILL") }
    func errorTail() async -> String { "" }
    func close() async {
        toAgent.close()
        toController.close()
    }
}

/// Agents that do what a script says, a line for each step: `read 1 NAME`, `change 2 NAME`, `fail 3 NAME`,
/// `once 4 NAME`, `skip 5 NAME`, `add NAME`, `hostvar 6 HOST NAME`, `delegate 7 HOST NAME`, `pause 8`, `die`, `rest`.
final class ScriptedAgents: Connecting {
    let scripts: [String: [String]]
    /// What was changed, in the order in which it happened, over all hosts.
    let log = Mutex<[String]>([])
    init(_ scripts: [String: [String]]) { self.scripts = scripts }

    func session(for settings: ConnectionSettings) async throws(LinkError) -> AgentSession {
        guard let script = scripts[settings.address] else {
            throw LinkError("\(settings.address):22: Connection refused")
        }
        let link = FakeLink()
        Task { await serve(link, settings.address, script) }
        return AgentSession(link)
    }

    func shutdown() async {}

    private func serve(_ link: FakeLink, _ host: String, _ script: [String]) async {
        var agent = ScriptedAgent(link: link, host: host, log: { line in self.log.withLock { $0.append(line) } })
        agent.report(.ready(version: wireVersion, user: "root", host: host))
        while let order = await agent.next() {
            switch order {
            case .play(let plan):
                let end = await agent.play(plan, script)
                guard let end else { return link.toController.close() }
                agent.flush()
                agent.report(.played(end))
            case .call(let call):
                self.log.withLock { $0.append("\(call.module) on \(host)") }
                agent.report(.called(CallResult(result: ["changed": true])))
            case .finish, .abort: return link.toController.close()
            default: break
            }
        }
        link.toController.close()
    }
}

struct ScriptedAgent {
    let link: FakeLink
    let host: String
    let log: @Sendable (String) -> Void
    var frames = FrameBuffer()
    var events: [Event] = []

    func report(_ report: Report) { link.toController.write(Frame.bytes(of: report)) }

    mutating func flush() {
        if !events.isEmpty { report(.events(events)) }
        events = []
    }

    mutating func next() async -> Order? {
        while true {
            if let order = try? frames.next(Order.self) { return order }
            guard let bytes = await link.toAgent.read() else { return nil }
            frames.append(bytes)
        }
    }

    mutating func ask(_ question: Question) async -> Answer {
        flush()
        report(.question(question))
        while let order = await next() { if case .answer(let answer) = order { return answer } }
        return .stop(reason: "gone")
    }

    /// `nil` when it dies.
    mutating func play(_ plan: PlayPlan, _ script: [String]) async -> PlayEnd? {
        for line in script {
            let words = line.split(separator: " ").map(String.init)
            if words[0] == "die" {
                flush()
                return nil
            }
            if words[0] == "add" {
                events.append(.addHost(name: words[1], groups: ["new"], variables: Dict()))
                continue
            }
            let parts = words.count > 1 ? position(words[1]).parts : []
            let at = Position([plan.index] + parts)
            let info = TaskInfo(name: words.dropFirst(2).joined(separator: " "), module: "command", place: nil)
            switch await step(words, at, info) {
            case .none: continue
            case .some(let end): return end
            }
        }
        return PlayEnd(.completed)
    }

    private mutating func step(_ words: [String], _ at: Position, _ info: TaskInfo) async -> PlayEnd? {
        func result(_ status: Status) -> Event {
            .result(at, info, TaskResult(status: status, result: ["changed": .bool(status == .changed)]))
        }
        switch words[0] {
        case "read": events.append(result(.ok))
        case "skip": events.append(result(.skipped))
        case "change", "fail", "fatal":
            events.append(.started(at, info))
            if case .stop = await ask(.turn(at, info, throttle: 0)) { return PlayEnd(.stopped) }
            log("\(info.name) on \(host)")
            if words[0] == "change" {
                events.append(result(.changed))
            } else {
                var failure = TaskResult(status: .failed, result: ["failed": true, "msg": "broken"])
                failure.isFatalToAll = words[0] == "fatal"
                events.append(.result(at, info, failure))
                return PlayEnd(.failed)
            }
        case "once":
            switch await ask(.once(at, info)) {
            case .proceed:
                log("\(info.name) on \(host)")
                let done = TaskResult(status: .changed, result: ["changed": true])
                _ = await ask(.onceDone(at, done, variables: ["x": 1], facts: Dict()))
                events.append(result(.changed))
            case .once(_, let variables, _): log("\(host) has x=\(variables["x"]?.int ?? 0)")
            default: return PlayEnd(.stopped)
            }
        case "set": events.append(.variables(Dict([(words[2], .string(host))]), facts: Dict()))
        case "hostvar":
            guard case .value(let value) = await ask(.hostVariable(host: words[2], name: words[3], at)) else {
                return PlayEnd(.stopped)
            }
            log("\(host) sees \(value?.pythonText ?? "nothing")")
        case "delegate":
            let call = ModuleCall(
                module: words[3], arguments: Dict(), checkMode: false, diffMode: false, environment: Dict(),
                verbosity: 0, become: nil, isHidden: false,
                basis: SearchBasis(roles: [], taskFolder: ".", playFolder: "."))
            let question = Question.delegate(host: words[2], call, variables: Dict(), at, throttle: 0)
            guard case .call(let called) = await ask(question) else {
                return PlayEnd(.stopped)
            }
            events.append(result(called.result["changed"]?.isTrue ?? false ? .changed : .failed))
        case "pause":
            guard case .input(let text, _) = await ask(.pause(prompt: "?", seconds: nil, echo: true, at)) else {
                return PlayEnd(.stopped)
            }
            log("\(host) goes on after '\(text)'")
        case "meta":
            if case .stop = await ask(.meta(words[2], at)) { return PlayEnd(.stopped) }
            return PlayEnd(.ended, ends: words[2])
        default: break
        }
        return nil
    }
}

/// Plays that are only their settings; every host's way leads to the scripted agent of its name.
struct ScriptedSource: RunSource {
    var plays: [PlayOutline]
    var selected: [String]
    let added = Added()

    actor Added {
        var names: [String] = []
        func add(_ name: String) { if !names.contains(name) { names.append(name) } }
    }

    var playCount: Int { get async { plays.count } }
    func outline(of play: Int) async throws(Diagnostics) -> PlayOutline { plays[play] }
    func hosts(of play: Int) async throws(Diagnostics) -> [String] { selected + (await added.names) }
    func plan(
        play: Int, host: String, batch: [String], hosts: [String], known: HostKnowledge
    ) async throws(Diagnostics) -> PlayPlan {
        var plan = PlayPlan(name: plays[play].name, place: nil, index: play, host: host, settings: RunSettings())
        let place = Place(file: SourceFile(name: "site.yml"), line: 1, column: 1)
        plan.steps = [
            .task(
                TaskPlan(
                    ordinal: 0, place: place, name: "Gathering Facts", module: "gather_facts", arguments: .null,
                    keywords: Dict(), inherited: Dict(), role: nil, basis: 0, isImplicit: true)),
            .task(
                TaskPlan(
                    ordinal: 2, place: place, name: nil, module: "drain", arguments: .null,
                    keywords: ["delegate_to": "lb"], inherited: Dict(), role: nil, basis: 0)),
        ]
        return plan
    }
    func connection(
        to host: String, play: Int, variables: Dict
    ) async throws(Diagnostics) -> ConnectionSettings {
        do throws(Diagnostic) {
            return try ConnectionSettings(
                host: host, variables: variables, keywords: Dict(), defaults: ConnectionSettings.Defaults())
        } catch { throw Diagnostics([error]) }
    }
    func inventory(of host: String) async throws(Diagnostics) -> Dict { Dict() }
    func variable(
        _ name: String?, of host: String, play: Int, known: HostKnowledge
    ) async throws(Diagnostics) -> Value? { name.flatMap { known.assigned[$0] } }
    func file(_ request: FileRequest) async throws(Diagnostics) -> (entry: FileEntry?, searched: [String]) { (nil, []) }
    func contents(digest: String, path: String) async throws(Diagnostics) -> [UInt8] { [] }
    func module(_ path: String, play: Int) async throws(Diagnostics) -> ForeignModule {
        throw Diagnostics([Diagnostic("no module")])
    }
    func parts(_ digests: [String]) async throws(Diagnostics) -> [ModuleContents] { [] }
    func plugin(
        _ kind: String, _ name: String, _ arguments: [Value], _ named: Dict
    ) async throws(Diagnostics) -> Value { .null }
    func converse(_ step: Value, play: Int) async throws(Diagnostics) -> Value { .null }
    func tasks(_ request: FileRequest, play: Int) async throws(Diagnostics) -> TaskFile {
        throw Diagnostics([Diagnostic("no tasks")])
    }
    func role(_ request: RoleRequest, play: Int) async throws(Diagnostics) -> RoleFile {
        throw Diagnostics([Diagnostic("no role")])
    }
    func lookup(
        _ plugin: String, _ terms: [Value], _ options: Dict, _ basis: SearchBasis
    ) async throws(Diagnostics) -> [Value] { [] }
    func addHost(_ name: String, groups: [String], variables: Dict) async { await added.add(name) }
    func addGroup(_ name: String, parents: [String], host: String) async {}
    func refreshInventory() async throws(Diagnostics) {}
}

struct SilentPrompter: Prompter {
    func line(
        _ prompt: String, showing text: String, until isOver: @Sendable () -> Bool
    ) async -> (line: String?, isInterrupted: Bool) { (nil, false) }
    func show(_ text: String) {}
    func pause(_ prompt: String, seconds: Double?, echo: Bool) async -> (input: String, isInterrupted: Bool) {
        ("yes", false)
    }
}

/// Keeps what is shown, a line for each event.
final class LineSink: EventSink {
    let lines = Mutex<[String]>([])
    func show(_ event: RunEvent) {
        if let line = shownLine(event) { lines.withLock { $0.append(line) } }
    }
}

func shownLine(_ event: RunEvent) -> String? {
    switch event {
    case .play(let name, _, let hosts, _): return "PLAY \(name) (\(hosts.joined(separator: " ")))"
    case .noHostsMatched: return "no hosts matched"
    case .noHostsLeft: return "no hosts left"
    case .task(let info, _): return "TASK \(info.name)"
    case .item(let host, _, let result): return "\(host): item \(result.status)"
    case .result(let host, _, let result):
        let message = result.status == .unreachable ? " " + (result.result["msg"]?.pythonText ?? "") : ""
        return "\(host): \(result.status)\(message)"
    case .included(let hosts, let path, _): return "included \(path) for \(hosts.joined(separator: " "))"
    case .rescued(let host): return "\(host): rescued"
    case .recap(let all):
        return all.map { host, counts in
            "\(host) " + counts.pairs.filter { $0.count > 0 }.map { "\($0.name)=\($0.count)" }.joined(separator: " ")
        }.joined(separator: "; ")
    default: return nil
    }
}
