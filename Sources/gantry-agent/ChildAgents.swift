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

    func leave(user: String) { running = running.filter { $0.key.user != user } }
}

/// One such process, spoken to as a controller speaks to an agent.
final class ChildAgent: Executor {
    private let conversation: Conversation
    private let user: String
    private var frames = FrameBuffer()
    private var errors: [UInt8] = []
    private(set) var isAlive = true
    /// What the method printed before it came to our line.
    private var greeting: [UInt8] = []
    /// What `sudo` is told to ask with, so that its question is told from anything else.
    private static let prompt = "[sudo via ansible, key=gantry] password:"
    private static let patience = 15.0
    /// A whole agent goes over before the next word is heard.
    private static let delivery = 120.0

    init(_ become: Become, _ machine: LinuxMachine) throws(Failure) {
        user = become.user
        let escalation = Escalation(become, machine, prompt: Self.prompt)
        do throws(MachineError) {
            conversation = try Conversation(
                Command(
                    try escalation.arguments, folder: become.folder.isEmpty ? nil : become.folder,
                    environment: escalation.environment), on: machine)
        } catch {
            if !become.folder.isEmpty, (try? machine.status(of: become.folder)) == nil {
                throw Failure("cd: \(become.folder): No such file or directory")
            }
            throw error.code == ENOENT ? Self.premature(error.message) : Failure(error)
        }
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
        var isMarked = escalation.isMarked
        var hasAnswered = false
        while true {
            switch try heard(become, isMarked ? nil : Self.delivery) {
            case .output(let bytes):
                var rest = bytes
                if isMarked {
                    greeting += bytes
                    guard let behind = behindMark else {
                        try answer(become, &hasAnswered)
                        continue
                    }
                    isMarked = false
                    rest = behind
                    try send(&unsent, become)
                }
                frames.append(rest)
                if rest.isEmpty { continue }
                do throws(WireError) {
                    guard let report = try frames.next(Report.self) else { continue }
                    if case .ready = report { return }
                } catch {}
                throw Failure("what answered as '\(user)' is not an agent: \(frames.remainder.prefix(200))")
            case .errors(let bytes):
                errors += bytes
                if isMarked { try answer(become, &hasAnswered) }
            case .ended: throw refusal(become)
            case .timedOut:
                throw Failure(
                    "Timed out waiting for become success or become password prompt.\n"
                        + "\(become.method) was to become '\(user)'\(said)", isUnreachable: true)
            }
        }
    }

    /// What came behind the mark; `nil` when it has not come.
    private var behindMark: [UInt8]? {
        let mark = Array(Escalation.mark.utf8)
        guard greeting.count >= mark.count else { return nil }
        for start in 0...(greeting.count - mark.count) where greeting[start...].starts(with: mark) {
            return Array(greeting[(start + mark.count)...])
        }
        return nil
    }

    /// Gives the password when it is asked for, once.
    private func answer(_ become: Become, _ hasAnswered: inout Bool) throws(Failure) {
        guard let password = become.password, asksForPassword(become) else { return }
        if hasAnswered { throw incorrect(become) }
        hasAnswered = true
        (errors, greeting) = ([], [])
        var line: [UInt8]? = Array((password.exposed + "\n").utf8)
        try send(&line, become)
    }

    private func heard(_ become: Become, _ limit: Double?) throws(Failure) -> Conversation.Piece {
        let patience = limit ?? (become.patience > 0 ? become.patience : Self.patience)
        do throws(MachineError) { return try conversation.read(seconds: patience) } catch {
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

    private var errorText: String { String(decoding: greeting + errors, as: UTF8.self).trimmed }
    private var said: String { errorText.isEmpty ? "" : ": \(errorText.prefix(400))" }

    private func asksForPassword(_ become: Become) -> Bool {
        let text = String(decoding: greeting + errors, as: UTF8.self)
        if !become.prompts.isEmpty { return become.prompts.contains { text.contains($0) } }
        return text.contains(Self.prompt) || (become.method == "su" && text.lowercased().contains("password:"))
    }

    private func incorrect(_ become: Become) -> Failure {
        Failure("Incorrect \(become.method) password\nDuplicate become password prompt encountered")
    }

    private static func premature(_ said: String) -> Failure {
        Failure("Premature end of stream waiting for become success.\n\(said)")
    }

    private func refusal(_ become: Become) -> Failure {
        let text = errorText.lowercased()
        if text.contains("password is required") {
            return Failure(
                "Missing \(become.method) password: \(errorText.prefix(400))\n"
                    + "set ansible_become_password, or have it asked for with -K")
        }
        if text.contains("incorrect password") || text.contains("sorry, try again")
            || text.contains("authentication failure")
        {
            return incorrect(become)
        }
        return Self.premature("\(become.method) was to become '\(user)'\(said)")
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
