import Templates
import Values
import Wire

/// What a dynamic include names: tasks, and the surroundings that they run in.
private struct Inclusion {
    var steps: [Step]
    var handlers: [Step] = []
    var frame: Frame
    /// As it is written, and as it was found.
    var name: String
    var path: String
    var label: String
    var isRole = false
    var arguments = Dict()

    /// What the task registers, or the item of its loop.
    func result(ofItem isItem: Bool) -> TaskResult {
        let names: Set<String> = ["_raw_params", "file"]
        var result: Dict = ["include_args": .dict(arguments.filter { !names.contains($0.key.pythonText) })]
        if !isRole { result["include"] = .string(name) }
        if !isItem { result["changed"] = false }
        return TaskResult(status: .ok, result: result)
    }
}

extension TaskRun {
    /// `include_tasks` and `include_role`: finds what all items name, says so, and then runs it item by item.
    ///
    /// What fails inside goes on upwards as it is: it has been told, and is not this task's failure.
    func performInclude() throws(Interruption) {
        let isOnce: Bool
        do throws(Interruption) { isOnce = try self.isOnce() } catch {
            guard case .failed(let failure) = error else { throw error }
            return try conclude(self.failure(failure))
        }
        if isOnce, try !isLeader() { return try takeOverBrought() }
        let before = run.state
        var inclusions: [Inclusion] = []
        var result = try included(&inclusions)
        if isOnce { try handOver(result, since: before) }
        var pending = try tell(result, inclusions)
        var isAsked = false
        while isDebugged(result) {
            isAsked = true
            var debugger = TaskDebugger(self, about: result)
            guard try debugger.decision() == .redo else { break }
            debugger.apply()
            run.coordinator.tell(.redone(position, statuses(of: result)))
            result = try included(&inclusions)
            pending = try tell(result, inclusions)
        }
        if isAsked { _ = try run.coordinator.ask(.debugged(showing: "", ends: false)) }
        guard !inclusions.isEmpty, result.status == .ok else {
            try leave(by: pending)
            if !isOnce, result.status == .skipped, mayBring { try takeOverBrought() }
            return
        }
        if let echo = try verdict(failed: false) { throw echo }
        for inclusion in inclusions { try run(inclusion) }
    }

    /// What the include comes to, and what it names; a failure is a result.
    private func included(_ inclusions: inout [Inclusion]) throws(Interruption) -> TaskResult {
        inclusions = []
        do throws(Interruption) {
            if let items = try loopItems() { return try collect(items, into: &inclusions) }
            if let when = task.keywords["when"], let condition = try firstFalse(when) {
                return TaskItem.skipped(condition)
            }
            let inclusion = try inclusion(nil)
            inclusions.append(inclusion)
            return inclusion.result(ofItem: false)
        } catch {
            guard case .failed(let failure) = error else { throw error }
            return self.failure(toInclude: failure)
        }
    }

    /// Says what the include found, or why it found nothing.
    ///
    /// - Returns: what ends the way.
    private func tell(_ result: TaskResult, _ inclusions: [Inclusion]) throws(Interruption) -> Interruption? {
        guard !inclusions.isEmpty, result.status == .ok else { return try settle(result) }
        register(result)
        if let role = scope.role { run.startedRoles.insert(role.key) }
        for inclusion in inclusions {
            run.coordinator.tell(.included(position, info, path: inclusion.path, label: inclusion.label))
        }
        return nil
    }

    private func collect(_ items: [Value], into inclusions: inout [Inclusion]) throws(Interruption) -> TaskResult {
        guard !items.isEmpty else { return Self.noItems }
        let control = try loopControl()
        warnOfHidden(control)
        var results: [TaskResult] = []
        for index in items.indices {
            let loop = LoopItem(items: items, index: index, control: control)
            scope.local = loop.variables
            var result: TaskResult
            do throws(Interruption) {
                if let when = task.keywords["when"], let condition = try firstFalse(when) {
                    result = TaskItem.skipped(condition)
                } else {
                    let inclusion = try inclusion(loop)
                    inclusions.append(inclusion)
                    result = inclusion.result(ofItem: true)
                }
            } catch {
                guard case .failed(let failure) = error else { throw error }
                result = self.failure(toInclude: failure)
            }
            result = try labelled(result, loop)
            results.append(result)
            if result.status != .ok { run.coordinator.tell(.item(position, info, presented(result))) }
        }
        scope.local = Dict()
        return summary(of: results)
    }

    /// What cannot be loaded is a failure that `ignore_errors` does not pass over.
    private func failure(toInclude failure: TaskFailure) -> TaskResult {
        if failure.result["reason"] != nil { ignores[.failed] = false }
        return self.failure(failure)
    }

    private func inclusion(_ loop: LoopItem?) throws(Interruption) -> Inclusion {
        var arguments = Dict()
        for (key, value) in task.arguments.dict ?? Dict() where key.text != "apply" {
            let rendered = try render(value)
            if rendered != Templater.omit { arguments[key] = rendered }
        }
        var inner = Frame(
            roles: frame.roles, bases: frame.bases, fallbackBasis: scope.basis, parameters: frame.parameters,
            inherited: inheriting(task.arguments["apply"]?.dict ?? Dict(), from: task.inherited), position: position,
            depth: try run.deeper(frame, at: task.place), isHandlers: isHandler)
        for (name, value) in task.keywords["vars"]?.dict ?? Dict() { inner.parameters[name] = value }
        for (name, value) in loop?.variables ?? Dict() { inner.parameters[name] = value }
        var label = try loop.map { loop throws(Interruption) in try self.label(loop.control, loop.item) } ?? ""
        // As in Ansible, what is as good as nothing is not shown.
        if let loop, loop.control.rawLabel == nil, !loop.item.isTrue { label = "" }
        var inclusion = task.module == "include_role"
            ? try role(arguments, inner, label) : try file(arguments, inner, label)
        inclusion.arguments = arguments
        inclusion.frame.position = place(of: inclusion, index: loop?.index ?? 0)
        return inclusion
    }

    /// Hosts that include the same for the same item meet in it; those that include something else at the same task
    /// come before or after, in the order of the names, as if each had a task of its own.
    private func place(of inclusion: Inclusion, index: Int) -> Position {
        let name = inclusion.path.split(separator: "/").last.map(String.init) ?? ""
        var order = 0
        let bytes = Array(name.utf8.prefix(7))
        for index in 0..<7 { order = order << 8 | (index < bytes.count ? Int(bytes[index]) : 0) }
        var hash: UInt32 = 2_166_136_261
        for byte in "\(inclusion.path)\u{0}\(inclusion.label)".utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return Position(position.parts + [index, order, Int(hash)])
    }

    private func file(_ arguments: Dict, _ inner: Frame, _ label: String) throws(Interruption) -> Inclusion {
        guard let name = arguments["file"]?.pythonText ?? arguments["_raw_params"]?.pythonText else {
            throw .failed(TaskFailure(Diagnostic("'\(task.module)' needs the name of a file", at: task.place)))
        }
        let request = FileRequest(kind: isHandler ? .handlers : .tasks, name: name, basis: scope.basis)
        let file: TaskFile
        if let known = run.plan.taskFiles[request] {
            file = known
        } else {
            switch try run.coordinator.ask(.tasks(request)) {
            case .tasks(let answer): file = answer
            case .failure(let diagnostic): throw located(diagnostic, ["include": .string(name)])
            default: throw .unexpectedAnswer
            }
        }
        var frame = inner
        frame.roles = file.roles
        // A role that the file imports is one that the role around it imports.
        if let around = scope.role { for index in frame.roles.indices { frame.roles[index].inherit(from: around) } }
        frame.bases = file.bases
        frame.role = scope.role
        return Inclusion(steps: file.steps, frame: frame, name: name, path: file.path, label: label)
    }

    /// - Parameter result: what the task comes to beside the reason.
    private func located(_ diagnostic: Diagnostic, _ result: Dict = Dict()) -> Interruption {
        var (located, result) = (diagnostic, result)
        if located.place == nil { located.place = task.place }
        result["reason"] = .string(diagnostic.message)
        return .failed(TaskFailure(result, diagnostic: located))
    }

    private func role(_ arguments: Dict, _ inner: Frame, _ label: String) throws(Interruption) -> Inclusion {
        guard let name = arguments["name"]?.pythonText ?? arguments["role"]?.pythonText else {
            throw .failed(TaskFailure(Diagnostic("'include_role' needs parameter 'name'", at: task.place)))
        }
        func part(_ key: String) -> String {
            let name = arguments[key]?.pythonText ?? "main"
            for suffix in [".yml", ".yaml"] where name.hasSuffix(suffix) { return String(name.dropLast(suffix.count)) }
            return name
        }
        var request = RoleRequest(
            name: name, tasksFrom: part("tasks_from"), varsFrom: part("vars_from"),
            defaultsFrom: part("defaults_from"), handlersFrom: part("handlers_from"), basis: scope.basis)
        request.allowsDuplicates = arguments["allow_duplicates"]?.asBool ?? true
        request.isChecked = arguments["rolespec_validate"]?.asBool ?? true
        let role: RoleFile
        if let known = run.plan.dynamicRoles[request.key] {
            role = known
        } else {
            switch try run.coordinator.ask(.role(request)) {
            case .role(let answer): role = answer
            case .failure(var diagnostic):
                guard diagnostic.place == nil else { throw located(diagnostic) }
                let written = task.arguments["name"] ?? task.arguments["role"]
                diagnostic.place = written?.place ?? task.place
                throw .failed(TaskFailure(["reason": .string(diagnostic.message)], diagnostic: diagnostic))
            default: throw .unexpectedAnswer
            }
        }
        var frame = inner
        frame.roles = role.roles
        frame.bases = role.bases
        let own = task.keywords["vars"].map { $0.json() } ?? ""
        for index in frame.roles.indices {
            frame.roles[index].key += own
            if let around = scope.role { frame.roles[index].inherit(from: around) }
        }
        for plan in role.roles {
            for layer in [plan.defaults, plan.variables, plan.parameters] { run.masking.learn(from: .dict(layer)) }
        }
        if arguments["public"]?.asBool ?? false { run.publicRoles += frame.roles }
        return Inclusion(
            steps: role.steps, handlers: role.handlers, frame: frame, name: name, path: name, label: label,
            isRole: true)
    }

    private func run(_ inclusion: Inclusion) throws(Interruption) {
        if inclusion.isRole {
            var frame = inclusion.frame
            frame.isHandlers = true
            run.handlers.add(inclusion.handlers, in: frame)
        }
        try run.run(inclusion.steps, in: inclusion.frame)
    }
}

extension RolePlan {
    /// A role that a task of another one includes sees what that one has.
    fileprivate mutating func inherit(from outer: RolePlan) {
        parents += [outer.name] + outer.parents
        parentPaths += [outer.path] + outer.parentPaths
        defaults = outer.defaults.merging(defaults)
        variables = outer.variables.merging(variables)
        parameters = outer.parameters.merging(parameters)
    }
}

extension Dict {
    fileprivate func merging(_ inner: Dict) -> Dict {
        var merged = self
        for (name, value) in inner { merged[name] = value }
        return merged
    }
}
