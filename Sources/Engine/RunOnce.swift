import Values
import Wire

/// Tasks with `run_once`: the first host of the batch that comes to one runs it, the others take over what it came to.
extension TaskRun {
    func runOnce() throws(Interruption) {
        guard try isLeader() else { return }
        let before = run.state
        try runToEnd { result throws(Interruption) in try handOver(result, since: before) }
    }

    /// `run_once`, where hosts keep step; elsewhere it is no more than a word, as in Ansible.
    func isOnce() throws(Interruption) -> Bool {
        guard try flag("run_once") else { return false }
        guard run.plan.settings.isFree else { return true }
        run.coordinator.tell(
            .message(
                Diagnostic(
                    "Using run_once with the free strategy is not currently supported. This task will still be "
                        + "executed for every host in the inventory list.",
                    severity: .warning)))
        return false
    }

    /// Whether this host is the one to run the task; another one has taken over what came of it, then.
    func isLeader() throws(Interruption) -> Bool {
        switch try run.coordinator.ask(.once(position, info)) {
        case .proceed: return true
        case .once(let result, let variables, let facts):
            takeOver(variables, facts)
            let keyword = result.status == .failed ? "ignore_errors" : "ignore_unreachable"
            guard result.status == .failed || result.status == .unreachable, try !flag(keyword) else { return false }
            throw .failed(TaskFailure(failed(result)))
        case .stop(let reason): throw .stopped(reason)
        default: throw .unexpectedAnswer
        }
    }

    /// Gives the others what the task came to.
    func handOver(_ result: TaskResult, since before: HostState) throws(Interruption) {
        func new(_ now: Dict, _ old: Dict) -> Dict {
            Dict(uniqueKeysWithValues: now.filter { old[$0.key] != $0.value }.elements)
        }
        var variables = new(run.state.included, before.included)
        variables.merge(new(run.state.assigned, before.assigned)) { $1 }
        // What was set to what it was before counts, too.
        if task.module == "set_fact" || task.module == "include_vars" {
            let items = result.result["results"]?.list ?? [.dict(result.result)]
            for name in items.flatMap({ $0["ansible_facts"]?.dict?.names ?? [] }) {
                variables[name] = variables[name] ?? run.state.assigned[name] ?? run.state.included[name]
            }
        }
        if let name = task.keywords["register"]?.text { variables[name] = .dict(result.remembered) }
        _ = try run.coordinator.ask(
            .onceDone(position, result, variables: variables, facts: new(run.state.facts, before.facts)))
    }

    private func takeOver(_ variables: Dict, _ facts: Dict) {
        let registered = task.keywords["register"]?.text
        for (name, value) in variables {
            if task.module == "include_vars", name.text != registered {
                run.state.included[name] = value
            } else {
                run.state.assigned[name] = value.untrusted
            }
        }
        run.state.learn(facts)
    }

    // MARK: Includes in which only some hosts take part

    /// Takes over what tasks with `run_once` brought in an include that this host left out: they count for all.
    func takeOverBrought() throws(Interruption) {
        switch try run.coordinator.ask(.brought(within: position)) {
        case .once(_, let variables, let facts): takeOver(variables, facts)
        case .stop(let reason): throw .stopped(reason)
        default: throw .unexpectedAnswer
        }
    }

    /// A task with `delegate_facts` may have given this host something, whoever ran it.
    func takeOverGiven() throws(Interruption) {
        guard run.plan.magic["ansible_play_batch"]?.list?.count ?? 0 > 1, try flag("delegate_facts") else { return }
        try takeOverBrought()
    }

    /// Whether there are such tasks, as far as the plan knows what the include names.
    var mayBring: Bool {
        guard run.plan.magic["ansible_play_batch"]?.list?.count ?? 0 > 1 else { return false }
        return mayBring(task, frame.bases.indices.contains(task.basis) ? frame.bases[task.basis] : nil, depth: 0)
    }

    private func mayBring(_ task: TaskPlan, _ basis: SearchBasis?, depth: Int) -> Bool {
        guard let basis, depth < 8 else { return false }
        if task.arguments["apply"]?["run_once"] ?? task.inherited["run_once"] != nil { return true }
        return named(by: task, basis).contains { steps, bases in
            steps.flatMap(\.tasks).contains { inner in
                if inner.keywords["run_once"] != nil { return true }
                guard includeModules.contains(inner.module), bases.indices.contains(inner.basis) else { return false }
                return mayBring(inner, bases[inner.basis], depth: depth + 1)
            }
        }
    }

    /// What an include names, where the plan has it.
    private func named(by task: TaskPlan, _ basis: SearchBasis) -> [(steps: [Step], bases: [SearchBasis])] {
        if task.module == "include_role" {
            guard let name = (task.arguments["name"] ?? task.arguments["role"])?.text else { return [] }
            let roles = run.plan.dynamicRoles.filter { $0.key.hasPrefix(name + "\u{0}") }
            return roles.values.map { ($0.steps, $0.bases) }
        }
        guard let name = (task.arguments["file"] ?? task.arguments["_raw_params"])?.text else { return [] }
        let request = FileRequest(kind: isHandler ? .handlers : .tasks, name: name, basis: basis)
        return run.plan.taskFiles[request].map { [($0.steps, $0.bases)] } ?? []
    }
}

extension Step {
    /// All tasks in it.
    fileprivate var tasks: [TaskPlan] {
        switch self {
        case .task(let task): [task]
        case .block(let block): (block.block + block.rescue + block.always).flatMap(\.tasks)
        }
    }
}
