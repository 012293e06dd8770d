import Values
import Wire

/// Answers what does not hang on the order of hosts: files, task files, roles, lookups.
struct Desk {
    let source: any RunSource
    let play: Int
    /// Who asks.
    let host: String

    func answer(_ question: Question) async -> Answer {
        do throws(Diagnostics) {
            switch question {
            case .file(let request):
                let (entry, searched) = try await source.file(request)
                return .file(entry, searched: searched)
            case .contents(let digest, let path):
                return .contents(try await source.contents(digest: digest, path: path))
            case .module(let path): return .module(try await source.module(path, play: play))
            case .parts(let digests): return .parts(try await source.parts(digests))
            case .plugin(let kind, let name, let arguments, let named):
                return .value(try await source.plugin(kind, name, arguments, named))
            case .keep(let file):
                return .call(try await source.keep(file, of: host, play: play))
            case .converse(let step): return .asked(try await source.converse(step, play: play))
            case .tasks(let request): return .tasks(try await source.tasks(request, play: play))
            case .role(let request): return .role(try await source.role(request, play: play))
            case .lookup(let plugin, let terms, let options, let basis):
                return .values(try await source.lookup(plugin, terms, options, basis))
            default: return .failure(Diagnostic("this question cannot be answered here"))
            }
        } catch { return .failure(error.first) }
    }
}

/// Runs a module on another host than the task's own.
struct Delegation {
    let shared: RunState
    let play: Int
    /// The delegating host's: its plan names what the delegate may ask for.
    let trust: Trust
    /// The call goes to the play's own host, whose engine is elsewhere.
    var isOwn = false

    func run(_ call: ModuleCall, on host: String, variables: Dict) async -> Answer {
        let settings: ConnectionSettings
        do throws(Diagnostics) {
            settings = try await shared.source.connection(to: host, play: play, variables: variables)
        } catch {
            // Nothing was tried that could not be reached.
            return .failure(error.first)
        }
        do throws(LinkError) {
            return .call(
                try await shared.sessions.withDelegate(host, settings) { session throws(LinkError) in
                    try await perform(call, session)
                })
        } catch {
            if shared.isAborting { return .stop(reason: "interrupted") }
            return unreachable(host, error)
        }
    }

    private func unreachable(_ host: String, _ error: LinkError) -> Answer {
        let hint = [error.problem.hint].compactMap { $0 }
        let text = ([error.message] + (isOwn ? hint : []) + error.problem.notes).joined(separator: "\n")
        return .call(
            CallResult(
                result: [
                    "changed": false, "unreachable": true,
                    "msg": .string(isOwn ? text : "delegate '\(host)': \(text)"),
                ]))
    }

    private func perform(_ call: ModuleCall, _ session: AgentSession) async throws(LinkError) -> CallResult {
        var trust = trust
        for file in call.files { trust.note(.file(file.entry, searched: [])) }
        if let foreign = call.foreign { trust.note(.module(foreign.module)) }
        try await session.send(.call(call))
        while true {
            switch try await session.next() {
            case .called(let result): return result
            case .question(let question):
                let answer = await answer(question, trust)
                trust.note(answer)
                try await session.send(.answer(answer))
            case .broken(let reason): throw LinkError("the agent gave up: \(reason)")
            case .ready, .events, .played: break
            }
        }
    }

    /// The order was kept before the call was sent.
    private func answer(_ question: Question, _ given: Trust) async -> Answer {
        var trust = given
        switch question {
        case .turn: return shared.isStopping ? .stop(reason: "interrupted") : .proceed
        case .file, .contents, .parts: if let refusal = trust.refusal(of: question) { return .failure(refusal) }
        default: return .failure(Diagnostic("a module on its own may only ask for files"))
        }
        return await Desk(source: shared.source, play: play, host: "").answer(question)
    }
}
