import Templates
import Values
import Wire

extension TaskRun {
    /// `include_tasks` and `include_role`: runs what they name, now, as part of this task.
    ///
    /// A failure inside has already been told; it goes on upwards as it is.
    func include(_ loop: LoopItem?) throws(Interruption) -> TaskResult {
        var arguments = Dict()
        for (key, value) in task.arguments.dict ?? Dict() where key.text != "apply" {
            let rendered = try render(value)
            if rendered != Templater.omit { arguments[key] = rendered }
        }
        var inner = Frame(
            roles: frame.roles, bases: frame.bases, fallbackBasis: scope.basis, parameters: frame.parameters,
            inherited: inheriting(applied, from: task.inherited),
            position: position.adding(loop?.index ?? 0), depth: try run.deeper(frame, at: task.place))
        for (name, value) in task.keywords["vars"]?.dict ?? Dict() { inner.parameters[name] = value }
        for (name, value) in loop?.variables ?? Dict() { inner.parameters[name] = value }
        if task.module == "include_role" {
            try includeRole(arguments, &inner)
        } else {
            try includeFile(arguments, &inner, label: loop.map { $0.item.pythonText } ?? "")
        }
        return TaskResult(status: .ok, result: ["changed": false, "include": true])
    }

    private var applied: Dict { task.arguments["apply"]?.dict ?? Dict() }

    private func includeFile(_ arguments: Dict, _ inner: inout Frame, label: String) throws(Interruption) {
        guard let name = arguments["file"]?.pythonText ?? arguments["_raw_params"]?.pythonText else {
            throw .failed(TaskFailure(Diagnostic("'\(task.module)' needs the name of a file", at: task.place)))
        }
        let request = FileRequest(kind: .tasks, name: name, basis: scope.basis)
        let file: TaskFile
        if let known = run.plan.taskFiles[request] {
            file = known
        } else {
            switch try run.coordinator.ask(.tasks(request)) {
            case .tasks(let answer): file = answer
            case .failure(let diagnostic): throw .failed(TaskFailure(diagnostic))
            default: throw .unexpectedAnswer
            }
        }
        run.coordinator.tell(.included(position, info, path: file.path, label: label))
        inner.roles = file.roles
        inner.bases = file.bases
        inner.role = scope.role
        try run.run(file.steps, in: inner)
    }

    private func includeRole(_ arguments: Dict, _ inner: inout Frame) throws(Interruption) {
        guard let name = arguments["name"]?.pythonText ?? arguments["role"]?.pythonText else {
            throw .failed(TaskFailure(Diagnostic("'include_role' needs parameter 'name'", at: task.place)))
        }
        func part(_ key: String) -> String {
            let name = arguments[key]?.pythonText ?? "main"
            for suffix in [".yml", ".yaml"] where name.hasSuffix(suffix) { return String(name.dropLast(suffix.count)) }
            return name
        }
        let request = RoleRequest(
            name: name, tasksFrom: part("tasks_from"), varsFrom: part("vars_from"),
            defaultsFrom: part("defaults_from"), handlersFrom: part("handlers_from"), basis: scope.basis)
        let role: RoleFile
        if let known = run.plan.dynamicRoles[request.key] {
            role = known
        } else {
            switch try run.coordinator.ask(.role(request)) {
            case .role(let answer): role = answer
            case .failure(let diagnostic):
                var located = diagnostic
                if located.place == nil { located.place = task.place }
                throw .failed(TaskFailure(located))
            default: throw .unexpectedAnswer
            }
        }
        run.coordinator.tell(.included(position, info, path: name, label: ""))
        inner.roles = role.roles
        inner.bases = role.bases
        for plan in role.roles {
            for layer in [plan.defaults, plan.variables, plan.parameters] { run.masking.learn(from: .dict(layer)) }
        }
        if arguments["public"]?.asBool ?? false { run.publicRoles += role.roles }
        let known = Set(run.handlers.compactMap { handler -> Place? in
            if case .task(let task) = handler.step { task.place } else { nil }
        })
        for handler in role.handlers {
            if case .task(let task) = handler, known.contains(task.place) { continue }
            run.handlers.append((handler, inner))
        }
        do throws(Interruption) { try run.run(role.steps, in: inner) } catch {
            if case .ended("end_role") = error { return }
            throw error
        }
    }
}
