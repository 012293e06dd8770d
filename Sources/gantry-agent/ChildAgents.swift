import Engine
import Glibc
import Machine
import Modules
import Values
import Wire

/// Agents that have become other users: one process for each, kept for the rest of the run.
final class ChildAgents: EscalatedExecutors {
    private let machine: LinuxMachine
    private var running: [Become: ChildAgent] = [:]

    init(_ machine: LinuxMachine) { self.machine = machine }

    func executor(for become: Become) throws(Failure) -> any Executor {
        if let child = running[become], child.isAlive { return child }
        let child = try ChildAgent(become, machine)
        running[become] = child
        return child
    }
}

/// One such process, spoken to as a controller speaks to an agent.
final class ChildAgent: Executor {
    private let conversation: Conversation
    private let user: String
    private var frames = FrameBuffer()
    private var errors: [UInt8] = []
    private(set) var isAlive = true
    /// What `sudo` is told to ask with, so that its question is told from anything else.
    private static let prompt = "[gantry] password:"
    private static let patience = 15.0

    init(_ become: Become, _ machine: LinuxMachine) throws(Failure) {
        user = become.user
        let escalation = Escalation(become, machine, prompt: Self.prompt)
        do throws(MachineError) {
            conversation = try Conversation(
                Command(try escalation.arguments, environment: escalation.environment), on: machine)
        } catch { throw Failure(error) }
        try logIn(become, escalation)
    }

    /// At the end of its input it tidies up and ends; one that does not is ended.
    deinit { conversation.finish(ending: !isAlive) }

    /// Answers the question for a password, sends the agent where its file cannot be reached, and waits until it
    /// speaks.
    private func logIn(_ become: Become, _ escalation: Escalation) throws(Failure) {
        do throws(Failure) { try awaitReady(become, escalation) } catch {
            isAlive = false
            conversation.finish(ending: true)
            throw error
        }
    }

    private func awaitReady(_ become: Become, _ escalation: Escalation) throws(Failure) {
        var unsent = escalation.program
        var hasAnswered = false
        if become.password == nil || !escalation.asks { try send(&unsent, become) }
        while true {
            switch try heard(become) {
            case .output(let bytes):
                frames.append(bytes)
                if let report = try? frames.next(Report.self), case .ready = report { return }
                throw Failure("what answered as '\(user)' is not an agent: \(frames.remainder.prefix(200))")
            case .errors(let bytes):
                errors += bytes
                guard let password = become.password, asksForPassword(become) else { continue }
                if hasAnswered { throw incorrect(become) }
                hasAnswered = true
                errors = []
                var line: [UInt8]? = Array((password.exposed + "\n").utf8)
                try send(&line, become)
                try send(&unsent, become)
            case .ended: throw refusal(become)
            case .timedOut:
                // A method that asks nothing (a ticket, NOPASSWD) still waits for the program.
                if unsent != nil {
                    try send(&unsent, become)
                    continue
                }
                throw Failure(
                    "timed out waiting for \(become.method) to become '\(user)'\(said)", isUnreachable: true)
            }
        }
    }

    private func heard(_ become: Become) throws(Failure) -> Conversation.Piece {
        do throws(MachineError) { return try conversation.read(seconds: Self.patience) } catch {
            throw Failure(
                "could not become '\(user)' by \(become.method): \(error.message)\(said)", isStop: error.isStop)
        }
    }

    private func send(_ bytes: inout [UInt8]?, _ become: Become) throws(Failure) {
        guard let sent = bytes else { return }
        bytes = nil
        do throws(MachineError) { try conversation.write(sent) } catch {
            throw Failure("could not become '\(user)' by \(become.method): \(error.message)\(said)")
        }
    }

    private var errorText: String { String(decoding: errors, as: UTF8.self).trimmed }
    private var said: String { errorText.isEmpty ? "" : ": \(errorText.prefix(400))" }

    private func asksForPassword(_ become: Become) -> Bool {
        let text = String(decoding: errors, as: UTF8.self)
        return text.contains(Self.prompt) || (become.method == "su" && text.lowercased().contains("password:"))
    }

    private func incorrect(_ become: Become) -> Failure { Failure("Incorrect \(become.method) password") }

    private func refusal(_ become: Become) -> Failure {
        let text = errorText.lowercased()
        if text.contains("a password is required") || text.contains("password is required") {
            return Failure(
                "Missing \(become.method) password\nset ansible_become_password, or have it asked for with -K")
        }
        if text.contains("incorrect password") || text.contains("sorry, try again")
            || text.contains("authentication failure")
        {
            return incorrect(become)
        }
        return Failure("could not become '\(user)' by \(become.method)\(said)")
    }

    func perform(
        _ call: ModuleCall, asking coordinator: any Coordinator, turn: @escaping () throws(Interruption) -> Void
    ) -> CallResult {
        do throws(MachineError) {
            try conversation.write(Frame.bytes(of: Order.call(call)))
            while true {
                switch try conversation.read(seconds: nil) {
                case .output(let bytes):
                    frames.append(bytes)
                    if let result = try reply(coordinator, turn) { return result }
                case .errors(let bytes): errors = Array((errors + bytes).suffix(4096))
                case .ended, .timedOut:
                    isAlive = false
                    return failed(Failure("the agent that had become '\(user)' ended\(said)", isUnreachable: true))
                }
            }
        } catch {
            isAlive = false
            // It ends what it runs before it ends itself.
            if error.isStop { try? conversation.write(Frame.bytes(of: Order.abort)) }
            conversation.finish(ending: true, patience: error.isStop ? 5 : 0)
            return failed(Failure(error))
        }
    }

    private func reply(
        _ coordinator: any Coordinator, _ turn: () throws(Interruption) -> Void
    ) throws(MachineError) -> CallResult? {
        do throws(WireError) {
            while let report = try frames.next(Report.self) {
                switch report {
                case .called(let result): return result
                case .events(let events): for event in events { coordinator.tell(event) }
                case .question(let question):
                    try? conversation.write(Frame.bytes(of: Order.answer(answer(question, coordinator, turn))))
                case .broken(let reason): return failed(reason)
                case .ready, .played: break
                }
            }
            return nil
        } catch { return failed("the agent that had become '\(user)' sent what is no message: \(error.description)") }
    }

    private func answer(
        _ question: Question, _ coordinator: any Coordinator, _ turn: () throws(Interruption) -> Void
    ) -> Answer {
        do throws(Interruption) {
            if case .turn = question {
                try turn()
                return .proceed
            }
            return try coordinator.ask(question)
        } catch {
            if case .failed(let failure) = error {
                return .failure(failure.diagnostic ?? Diagnostic(failure.result["msg"]?.pythonText ?? "failed"))
            }
            if case .stopped(let reason) = error { return .stop(reason: reason) }
            return .stop(reason: "the run ends")
        }
    }
}
