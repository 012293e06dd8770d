import Engine
import Glibc
import Machine
import Templates
import Values
import Wire

/// Serves a controller, or a parent agent, over standard input and output.
final class Session: Coordinator {
    private let inbox: Inbox
    private let output: Int32
    private let machine: LinuxMachine
    private let executor: LocalExecutor
    private let templater = Templater()
    private var state = HostState()
    private var events: [Event] = []
    private var isBroken = false
    /// More than this many events are sent without waiting for a question.
    private static let batch = 200

    init(inbox: Inbox, output: Int32, machine: LinuxMachine) {
        self.inbox = inbox
        self.output = output
        self.machine = machine
        executor = LocalExecutor(machine: machine, children: ChildAgents(machine))
    }

    /// Serves until the other side is done.
    func serve() {
        defer { executor.finish() }
        let identity = machine.identity
        let user = (try? machine.user(id: identity.userID))?.name ?? String(identity.userID)
        send(.ready(version: wireVersion, user: user, host: identity.hostName))
        while !isBroken, let order = inbox.next() {
            switch order {
            case .begin(let version, _):
                guard version == wireVersion else {
                    return send(.broken("this agent speaks version \(wireVersion), not \(version)"))
                }
            case .play(let plan): play(plan)
            case .call(let call):
                let result = executor.perform(call, asking: self) { [self] () throws(Interruption) in
                    let info = TaskInfo(name: "", module: call.module, place: nil)
                    switch try ask(.turn(Position([]), info, throttle: 0)) {
                    case .proceed: return
                    case .stop(let reason): throw .stopped(reason)
                    default: throw .stopped("the controller gave an answer of the wrong kind")
                    }
                }
                flush()
                send(.called(result))
            case .answer: break
            case .finish, .abort: return
            }
        }
    }

    private func play(_ plan: PlayPlan) {
        let run = PlayRun(plan, state: state, coordinator: self, executor: executor, templater: templater)
        let end = run.run()
        state = run.state
        flush()
        send(.played(end))
    }

    // MARK: Coordinator

    var stopReason: String? { inbox.stopReason }

    func tell(_ event: Event) {
        events.append(event)
        if events.count >= Self.batch { flush() }
    }

    func ask(_ question: Question) throws(Interruption) -> Answer {
        if let reason = inbox.stopReason { throw .stopped(reason) }
        var bytes = events.isEmpty ? [] : Frame.bytes(of: Report.events(events))
        events = []
        bytes += Frame.bytes(of: Report.question(question))
        write(bytes)
        while let order = inbox.next() {
            switch order {
            case .answer(let answer): return answer
            case .finish, .abort: throw .stopped("interrupted")
            default: throw .stopped("the controller sent an order where an answer was due")
            }
        }
        throw .stopped(inbox.stopReason ?? "the controller is gone")
    }

    private func flush() {
        guard !events.isEmpty else { return }
        send(.events(events))
        events = []
    }

    private func send(_ report: Report) { write(Frame.bytes(of: report)) }

    private func write(_ bytes: [UInt8]) {
        var position = 0
        while position < bytes.count, !isBroken {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(output, buffer.baseAddress.map { unsafe $0 + position }, bytes.count - position)
            }
            if count > 0 { position += count } else if count < 0, errno != EINTR { isBroken = true }
        }
    }
}
