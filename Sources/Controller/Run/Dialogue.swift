import Values
import Wire

/// Whom the person at the terminal talks to.
struct Floor {
    var host: Int?
    /// Who waits to be next.
    var waiting: [CheckedContinuation<Void, Never>] = []
    /// Whether a task is done, as the person said.
    var steps: [Position: Bool] = [:]
}

/// Questions to the person at the terminal: one host at a time has the floor.
extension BatchRun {
    /// One line of a dialogue, which goes on until the host is through with it.
    func line(_ prompt: String, showing text: String, _ host: Int, _ position: Position) async -> Answer {
        if case .stop(let reason) = await begin(host, position) { return .stop(reason: reason) }
        let shared = shared
        let (line, isInterrupted) = await shared.prompter.line(prompt, showing: text) { shared.isStopping }
        guard isInterrupted else { return .input(line ?? "EOF", interrupted: false) }
        await quit(showing: "")
        return .stop(reason: "interrupted")
    }

    /// Whether the task is done: in order, asked once for all hosts; with `free`, for each of them.
    func step(_ host: Int, _ position: Position, _ info: TaskInfo) async -> Answer {
        guard shared.isStepping else { return .value(true) }
        if case .stop(let reason) = await begin(host, position) { return .stop(reason: reason) }
        defer { hangUp(host) }
        if !outline.isFree, let known = floor.steps[position] { return .value(.bool(known)) }
        guard shared.isStepping else { return .value(true) }
        let subject = "\(info.isHandler ? "HANDLER" : "TASK"): \(info.name)"
        let target = outline.isFree ? " on \(hosts[host])" : ""
        let question = "Perform task: \(subject)\(target) (N)o/(y)es/(c)ontinue: "
        let shared = shared
        let (line, isInterrupted) = await shared.prompter.line(question, showing: "") { shared.isStopping }
        guard let word = isInterrupted ? nil : line?.lowercased() else {
            await quit(showing: isInterrupted ? "" : "\n--step: the input ended before the question was answered\n")
            return .stop(reason: "interrupted")
        }
        if ["c", "continue"].contains(word) { shared.stopStepping() }
        let isWanted = ["y", "yes", "c", "continue"].contains(word)
        floor.steps[position] = isWanted
        shared.show(.answered(question))
        return .value(.bool(isWanted))
    }

    private func begin(_ host: Int, _ position: Position) async -> Barrier.Release.Kind {
        if floor.host != host {
            let kind = await turn(host, position, .look)
            if case .stop = kind { return kind }
            while floor.host != nil, !shared.isStopping { await withCheckedContinuation { floor.waiting.append($0) } }
        }
        if shared.isStopping { return .stop("interrupted") }
        floor.host = host
        shared.show(.activity(host: hosts[host], nil))
        return .proceed
    }

    /// The host has nothing more to say.
    func hangUp(_ host: Int) {
        guard floor.host == host else { return }
        floor.host = nil
        let waiting = floor.waiting
        floor.waiting = []
        for continuation in waiting { continuation.resume() }
    }

    /// Ends the run, as a person wishes.
    func quit(showing text: String) async {
        if !text.isEmpty { shared.prompter.show(text) }
        await shared.quit()
        stop()
    }
}
