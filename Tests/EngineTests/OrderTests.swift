import Controller
import Dispatch
import Engine
import MachineFakes
import Synchronization
import Templates
import Testing
import Values
import Wire

/// Linear order without lock-step, with the real controller and the real engine on several hosts: a fleet that matches
/// meets no barrier, and where something changes, the order of changes is that of Ansible's `linear`.
@Suite struct OrderTests {
    private static let playbook = """
        - hosts: all
          gather_facts: false
          handlers:
            - {name: reload, command: "reload"}
          tasks:
            - {name: motd, copy: {content: "hello\\n", dest: /etc/motd}, notify: reload}
            - {name: folder, file: {path: /srv/data, state: directory}}
            - {name: look, stat: {path: /etc/motd}, register: s}
            - {name: say, debug: {msg: "{{ s.stat.exists }}"}}
            - name: block
              block:
                - {name: link, file: {src: /srv/data, dest: /data, state: link}}
              always:
                - include_tasks: more.yml
        """
    private static let more = """
        - {name: conf, copy: {content: "a\\n", dest: /etc/conf}, notify: reload}
        - {name: last, lineinfile: {path: /etc/conf, line: a}}
        """
    private static let matching = """
        files: {/etc/motd: "hello\\n", /srv/data: {folder: true}, /data: {link: /srv/data}, /etc/conf: "a\\n"}
        """
    private static let empty = "files: {/etc: {folder: true}, /srv: {folder: true}}\n"

    private func run(_ machines: [String: String], playbook: String = playbook) async throws -> Fleet {
        let hosts = machines.keys.sorted()
        var scenes: [String: Scene] = [:]
        for host in hosts {
            let files = [
                "site.yml": playbook, "more.yml": Self.more,
                "machine": machines[host, default: ""] + "\ncommands: [{run: reload}, {run: [work, \"*\"]}]\n",
            ]
            scenes[host] = try Scene(files, hosts: hosts, host: host)
        }
        let fleet = Fleet(scenes)
        let run = Run(
            source: FleetSource(fleet), connecting: fleet, options: RunOptions(), prompter: NoPrompter(),
            sink: NoDisplay())
        let code = try await run.run()
        #expect(code == 0)
        return fleet
    }

    @Test(.timeLimit(.minutes(5))) func aFleetThatMatchesMeetsNoBarrier() async throws {
        let fleet = try await run(["a": Self.matching, "b": Self.matching, "c": Self.matching])
        #expect(fleet.asked == [])
        #expect(fleet.edits == [])
    }

    @Test(.timeLimit(.minutes(5))) func aHostThatMatchesDoesNotHoldUpTheOthers() async throws {
        let fleet = try await run(["a": Self.matching, "b": Self.empty])
        #expect(fleet.asked == ["b motd", "b folder", "b link", "b conf", "b reload"])
        #expect(fleet.edits.allSatisfy { $0.hasPrefix("b ") })
    }

    @Test(.timeLimit(.minutes(5)), arguments: 0..<5) func changesComeTaskByTask(_ seed: Int) async throws {
        // Half done on each: what is to be changed differs from host to host.
        let fleet = try await run([
            "a": Self.empty, "b": "files: {/etc/motd: \"hello\\n\", /srv: {folder: true}}\n",
            "c": "files: {/etc/conf: \"a\\n\", /srv/data: {folder: true}}\n", "d": Self.matching,
        ])
        let tasks = ["motd", "folder", "link", "conf", "reload"]
        let numbers = fleet.changes.map { change in tasks.firstIndex { change.hasSuffix(" " + $0) } ?? -1 }
        #expect(!numbers.contains(-1))
        #expect(numbers == numbers.sorted(), "\(fleet.changes)")
        #expect(Set(fleet.changes) == [
            "a motd", "c motd", "a folder", "b folder", "a link", "b link", "c link", "a conf", "b conf", "a reload",
            "b reload", "c reload",
        ])
    }

    @Test(.timeLimit(.minutes(5))) func commandsAlwaysWaitForEachOther() async throws {
        let playbook = """
            - hosts: all
              gather_facts: false
              tasks:
                - {name: one, command: work one}
                - {name: only a, command: work two, when: inventory_hostname == 'a'}
                - {name: three, command: work three}
            """
        let fleet = try await run(["a": "", "b": "", "c": ""], playbook: playbook)
        #expect(fleet.changes.prefix(3).sorted() == ["a one", "b one", "c one"])
        #expect(fleet.changes[3] == "a only a")
        #expect(fleet.changes.suffix(3).sorted() == ["a three", "b three", "c three"])
    }
}

/// Hosts in memory, each with an engine of its own behind a stream of messages.
final class Fleet: Connecting {
    let scenes: [String: Scene]
    private let log = Mutex<(asked: [String], changes: [String])>(([], []))

    init(_ scenes: [String: Scene]) { self.scenes = scenes }

    /// Which hosts asked for their turn, at which tasks.
    var asked: [String] { log.withLock { $0.asked } }
    /// Which hosts changed something, at which tasks, in the order in which it happened.
    var changes: [String] { log.withLock { $0.changes } }
    var edits: [String] { scenes.flatMap { host, scene in scene.machine.edits.map { "\(host) \($0)" } } }

    func noteQuestion(_ host: String, _ task: String) { log.withLock { $0.asked.append("\(host) \(task)") } }
    func noteChange(_ host: String, _ task: String) { log.withLock { $0.changes.append("\(host) \(task)") } }

    func session(for settings: ConnectionSettings) async throws(LinkError) -> AgentSession {
        guard let scene = scenes[settings.address] else { throw LinkError("there is no host '\(settings.address)'") }
        let pipe = Pipe()
        let agent = MemoryAgent(settings.address, scene, pipe, self)
        DispatchQueue(label: settings.address).async { agent.serve() }
        return AgentSession(pipe)
    }

    func shutdown() async {}
}

/// Messages both ways between the controller's tasks and an engine's thread.
final class Pipe: AgentLink {
    private struct State {
        var orders = FrameBuffer()
        var isClosed = false
    }
    private let state = Mutex(State())
    private let arrived = DispatchSemaphore(value: 0)
    private let reports: AsyncStream<[UInt8]>
    private let sender: AsyncStream<[UInt8]>.Continuation

    init() { (reports, sender) = AsyncStream.makeStream(of: [UInt8].self) }

    func send(_ bytes: [UInt8]) async throws(LinkError) {
        state.withLock { $0.orders.append(bytes) }
        arrived.signal()
    }
    func receive() async throws(LinkError) -> [UInt8]? {
        for await bytes in reports { return bytes }
        return nil
    }
    func finish() async { await close() }
    func end() async -> LinkEnd { .exited(0) }
    func errorTail() async -> String { "" }
    func close() async {
        state.withLock { $0.isClosed = true }
        sender.finish()
        arrived.signal()
    }

    /// The next order; `nil` when there will be none. Blocks the engine's thread.
    func order() -> Order? {
        while true {
            let (order, isClosed) = state.withLock { state in (try? state.orders.next(Order.self), state.isClosed) }
            if let order = order ?? nil { return order }
            if isClosed { return nil }
            arrived.wait()
        }
    }

    func report(_ report: Report) { sender.yield(Frame.bytes(of: report)) }
}

/// What `gantry-agent` does, on a machine in memory.
final class MemoryAgent: Coordinator, @unchecked Sendable {
    private let host: String
    private let scene: Scene
    private let pipe: Pipe
    private let fleet: Fleet
    private var events: [Event] = []

    init(_ host: String, _ scene: Scene, _ pipe: Pipe, _ fleet: Fleet) {
        self.host = host
        self.scene = scene
        self.pipe = pipe
        self.fleet = fleet
    }

    func serve() {
        pipe.report(.ready(version: wireVersion, user: "root", host: host))
        while let order = pipe.order() {
            guard case .play(let plan) = order else { continue }
            let run = PlayRun(
                plan, state: HostState(), coordinator: self, executor: LocalExecutor(machine: scene.machine),
                templater: Templater())
            let end = run.run()
            flush()
            pipe.report(.played(end))
        }
    }

    var stopReason: String? { nil }

    func tell(_ event: Event) {
        if case .result(_, let info, let result) = event, result.status == .changed {
            fleet.noteChange(host, info.name)
        }
        events.append(event)
    }

    func ask(_ question: Question) throws(Interruption) -> Answer {
        if case .turn(_, let info, _) = question { fleet.noteQuestion(host, info.name) }
        flush()
        pipe.report(.question(question))
        while let order = pipe.order() { if case .answer(let answer) = order { return answer } }
        throw .stopped("the controller is gone")
    }

    private func flush() {
        if !events.isEmpty { pipe.report(.events(events)) }
        events = []
    }
}

/// Gives each host the plan of its scene.
struct FleetSource: RunSource {
    let fleet: Fleet
    init(_ fleet: Fleet) { self.fleet = fleet }

    var playCount: Int { get async { 1 } }
    func outline(of play: Int) async throws(Diagnostics) -> PlayOutline { PlayOutline(name: "p", place: nil) }
    func hosts(of play: Int) async throws(Diagnostics) -> [String] { fleet.scenes.keys.sorted() }
    func plan(
        play: Int, host: String, batch: [String], hosts: [String], known: HostKnowledge
    ) async throws(Diagnostics) -> PlayPlan {
        guard let plan = fleet.scenes[host]?.plans.first else { throw Diagnostics([Diagnostic("no plan")]) }
        return plan
    }
    func connection(to host: String, play: Int, variables: Dict) async throws(Diagnostics) -> ConnectionSettings {
        do throws(Diagnostic) {
            return try ConnectionSettings(
                host: host, variables: variables, keywords: Dict(), defaults: ConnectionSettings.Defaults())
        } catch { throw Diagnostics([error]) }
    }
    func inventory(of host: String) async throws(Diagnostics) -> Dict { Dict() }
    func variable(
        _ name: String?, of host: String, play: Int, known: HostKnowledge
    ) async throws(Diagnostics) -> Value? { nil }
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
    func addHost(_ name: String, groups: [String], variables: Dict) async {}
    func addGroup(_ name: String, parents: [String], host: String) async {}
    func refreshInventory() async throws(Diagnostics) {}
}

struct NoPrompter: Prompter {
    func line(
        _ prompt: String, showing text: String, until isOver: @Sendable () -> Bool
    ) async -> (line: String?, isInterrupted: Bool) { (nil, false) }
    func show(_ text: String) {}
    func pause(_ prompt: String, seconds: Double?, echo: Bool) async -> (input: String, isInterrupted: Bool) {
        ("", false)
    }
}

struct NoDisplay: EventSink {
    func show(_ event: RunEvent) {}
}
