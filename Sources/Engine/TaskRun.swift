import Modules
import Templates
import Values
import Wire

/// One task on this host: its loop, conditions, retries, and what becomes of the result.
final class TaskRun {
    let run: PlayRun
    private(set) var task: TaskPlan
    /// As it was written, before a person changed it.
    private let original: TaskPlan
    let scope: TaskScope
    let frame: Frame
    let position: Position
    private var cachedInfo: TaskInfo?
    /// What the module was last given.
    var lastArguments: Dict?
    let isHandler: Bool
    /// What the task does that later releases of the language will not have.
    private var deprecations: [Value] = []
    private(set) var isLoop = false
    /// Of a loop: what its items notify, each by its own name.
    private var notifications: [String] = []
    /// Of a loop: whether its items' failures are passed over.
    var ignores: [Status: Bool] = [:]

    init(_ run: PlayRun, _ task: TaskPlan, _ scope: TaskScope, _ frame: Frame, _ position: Position) {
        self.run = run
        self.task = task
        original = task
        self.scope = scope
        self.frame = frame
        self.position = position
        isHandler = frame.isHandlers || task.keywords["_handler"] != nil
    }

    /// Takes over what a person changed of the task.
    func change(_ body: (inout TaskPlan) -> Void) { body(&task) }

    /// Forgets what a person changed.
    func restore() { task = original }

    /// Whether its failure is passed over.
    var isForgiven: Bool { ignores[.failed] ?? (try? flag("ignore_errors")) ?? false }

    // MARK: Keywords

    /// A keyword's value with its templates rendered.
    func keyword(_ name: String) throws(Interruption) -> Value? {
        guard let value = task.keywords[name] else { return nil }
        let rendered = try render(value)
        guard rendered == Templater.omit else { return rendered }
        guard let outer = task.inherited[name] else { return nil }
        let inherited = try render(outer)
        return inherited == Templater.omit ? nil : inherited
    }

    func flag(_ name: String) throws(Interruption) -> Bool {
        guard let value = try keyword(name) else { return false }
        guard let flag = value.asBool ?? (value.isNull ? false : nil) else {
            let message = "The value '\(value.pythonText)' could not be converted to 'bool'."
            throw .failed(
                TaskFailure(
                    Diagnostic(
                        "Error processing keyword '\(name)': " + message,
                        at: task.keywords[name]?.place ?? task.place),
                    told: "Task failed: Error processing keyword '\(name)': " + message))
        }
        return flag
    }

    /// How many hosts may do the task at once; 0 is no limit.
    func throttle() throws(Interruption) -> Int {
        guard let written = task.keywords["throttle"] else { return 0 }
        var diagnostic = Diagnostic("Failed to convert the throttle value to an integer: ", at: written.place)
        do throws(TemplateError) {
            let value = try run.templater.render(written, in: scope)
            if value == Templater.omit { return 0 }
            if let limit = value.int ?? Int(value.pythonText) { return limit }
            diagnostic.message += "invalid literal for int() with base 10: '\(value.pythonText)'"
        } catch { diagnostic.message += error.diagnostic.message }
        throw .failed(TaskFailure(diagnostic))
    }

    func strings(_ name: String) throws(Interruption) -> [String] {
        switch try keyword(name) {
        case nil, .null?: return []
        case .list(let list)?: return list.flatMap { $0.list?.map(\.pythonText) ?? [$0.pythonText] }
        case let value?: return value.pythonText.split(separator: ",").map { String($0).trimmed }
        }
    }

    /// Tags, of which one word may hold several.
    private func tags() throws(Interruption) -> Set<String> {
        Set(try strings("tags").flatMap { $0.split(separator: ",").map { String($0).trimmed } })
    }

    func render(_ value: Value) throws(Interruption) -> Value {
        do throws(TemplateError) { return try run.templater.render(value, in: scope) } catch {
            throw interruption(error)
        }
    }

    /// A part of a keyword's value: what cannot be rendered is told with the keyword's name.
    func render(_ value: Value, of keyword: String) throws(Interruption) -> Value {
        do throws(TemplateError) { return try run.templater.render(value, in: scope) } catch {
            throw interruption(error, "Error processing keyword '\(keyword)': ")
        }
    }

    /// What a template gives, its members not rendered yet where it is a list or a mapping.
    func container(_ text: Text) throws(Interruption) -> Value {
        do throws(TemplateError) {
            if let container = try run.templater.container(text, in: scope) { return container }
            return try run.templater.render(text, in: scope)
        } catch { throw interruption(error) }
    }

    /// - Parameter context: what was being done, as ansible-core puts it before the error.
    func interruption(
        _ error: TemplateError, _ context: String = "", prefix: String = "Task failed: "
    ) -> Interruption {
        var diagnostic = error.diagnostic
        if diagnostic.place == nil { diagnostic.place = task.place }
        if let note = valueNote(diagnostic) { diagnostic.notes.append(note) }
        return .failed(TaskFailure(diagnostic, told: prefix + context + error.told))
    }

    /// An argument's value: what cannot be rendered is told with the argument's name.
    func render(argument name: String, _ value: Value) throws(Interruption) -> Value {
        do throws(TemplateError) { return try run.templater.render(value, in: scope) } catch {
            let module = Registry.fullName(task.module)
            throw interruption(
                error, "Finalization of task args for '\(module)' failed: Error while resolving value for '\(name)': ")
        }
    }

    /// The module that a template names.
    func moduleName(_ action: Value) throws(Interruption) -> String {
        let name = Registry.shortName(try render(action).pythonText)
        if Registry.entry(name) != nil || name == "meta" || includeModules.contains(name) { return name }
        throw .failed(
            TaskFailure(
                Diagnostic(
                    "there is no module '\(name)'", at: action.place ?? task.place,
                    hint: suggestion(for: name, among: Registry.all.map(\.name)),
                    notes: ["a module that a template names is one that is built in"])))
    }

    func isSelected() throws(Interruption) -> Bool {
        let settings = run.plan.settings
        if task.isImplicit, task.module == "meta" { return true }
        // A handler is chosen by being notified; what it includes, by tags.
        if task.keywords["_handler"] != nil { return true }
        let tags = try tags()
        return Wire.isSelected(tags: tags, run: settings.tags, skip: settings.skipTags)
    }

    /// The name as written; rendered where that is possible.
    private var ownName: String {
        guard let text = task.name else { return "" }
        guard text.isTemplate, let value = try? run.templater.render(text, in: scope) else { return text.string }
        return value.pythonText
    }

    /// What a person knows the task by; a name that cannot be rendered stays as it is written.
    var info: TaskInfo {
        if let cachedInfo { return cachedInfo }
        var name = ownName
        if name.isEmpty { name = task.isImplicit ? name : task.module }
        if let role = scope.role, task.module != "include_role" { name = "\(role.name) : \(name)" }
        let info = TaskInfo(
            name: run.masking.masked(name), module: task.module, place: task.place, isHandler: isHandler,
            isImplicit: task.isImplicit, isCheck: isCheck)
        cachedInfo = info
        return info
    }

    private var isCheck: Bool {
        let own = task.keywords["check_mode"].flatMap { _ in try? flag("check_mode") }
        return own ?? run.plan.settings.checkMode
    }

    /// Whether the person who is asked before each task wants it done.
    func isWanted() throws(Interruption) -> Bool {
        guard run.plan.settings.step, task.module != "meta" else { return true }
        switch try run.coordinator.ask(.step(position, info)) {
        case .value(let wanted):
            if wanted?.isTrue ?? true { return true }
            run.coordinator.tell(.passed(position, info))
            return false
        case .stop(let reason): throw .stopped(reason)
        default: throw .unexpectedAnswer
        }
    }

    // MARK: Running

    func perform() throws(Interruption) {
        if task.module == "meta" { return try runMeta() }
        if task.isImplicit, task.module == "gather_facts", run.plan.settings.gathersOnce, run.state.hasGathered {
            return run.coordinator.tell(.passed(position, info))
        }
        if includeModules.contains(task.module) { return try performInclude() }
        // These act on the run, not on a host.
        if ["add_host", "pause"].contains(task.module) { return try runOnce() }
        let isOnce: Bool
        do throws(Interruption) { isOnce = try self.isOnce() } catch {
            guard case .failed(let failure) = error else { throw error }
            return try conclude(self.failure(failure))
        }
        if isOnce { return try runOnce() }
        try runToEnd { _ in }
    }

    /// Runs the task, with its loop; failures are in the result, not thrown.
    func execute() throws(Interruption) -> TaskResult {
        ignores = [:]
        isLoop = false
        notifications = []
        deprecations = []
        var result = try attempted()
        if !deprecations.isEmpty {
            result.result["deprecations"] = .list(deprecations + (result.result["deprecations"]?.list ?? []))
        }
        return result
    }

    private func attempted() throws(Interruption) -> TaskResult {
        do throws(Interruption) {
            // A name that hangs on an item is told without it.
            _ = info
            guard let items = try loopItems() else { return try TaskItem(self, item: nil).outcome() }
            isLoop = true
            return try runLoop(items)
        } catch {
            guard case .failed(let failure) = error else { throw error }
            return self.failure(failure)
        }
    }

    /// What a failed result has as `exception` where nothing in Python failed, or nobody asked for tracebacks.
    static let noTraceback: Value = "(traceback unavailable)"

    func failure(_ failure: TaskFailure) -> TaskResult {
        var result = failure.result
        result["failed"] = true
        if result["changed"] == nil { result["changed"] = false }
        if !failure.isUnreachable, result["exception"] == nil { result["exception"] = Self.noTraceback }
        return TaskResult(
            status: failure.isUnreachable ? .unreachable : .failed, result: result, diagnostic: failure.diagnostic)
    }

    private func runLoop(_ items: [Value]) throws(Interruption) -> TaskResult {
        guard !items.isEmpty else { return Self.noItems }
        let control = try loopControl()
        warnOfHidden(control)
        var results: [TaskResult] = []
        let register = task.keywords["register"]?.text
        for index in items.indices {
            if index > 0, control.pause > 0 { try pause(seconds: control.pause) }
            if let reason = run.coordinator.stopReason { throw .stopped(reason) }
            let loop = LoopItem(items: items, index: index, control: control)
            // What the item before came to is known under the name that all of them will be registered as.
            let before = register.flatMap { name in scope.local[name].map { (name, $0) } }
            scope.local = loop.variables
            if let (name, value) = before { scope.local[name] = value }
            let outcome = try TaskItem(self, item: loop).outcome()
            if let register { scope.local[register] = Value.dict(outcome.registered).untrusted }
            let result = try labelled(outcome, loop)
            if let register { scope.local[register] = Value.dict(result.registered).untrusted }
            results.append(result)
            try note(itemFailure: result)
            if task.keywords["notify"] != nil { notifications += try strings("notify") }
            run.coordinator.tell(.item(position, info, presented(result)))
            if let condition = control.breakWhen, try conditions(condition) { break }
        }
        scope.local = Dict()
        return summary(of: results)
    }

    /// Whether a failure may be passed over can hang on the item: for the loop, all that failed must allow it.
    private func note(itemFailure result: TaskResult) throws(Interruption) {
        guard [.failed, .unreachable].contains(result.status) else { return }
        let isIgnored = try flag(result.status == .failed ? "ignore_errors" : "ignore_unreachable")
        ignores[result.status] = isIgnored && ignores[result.status] ?? true
    }

    /// What hangs on the item is rendered for each of them.
    func loopControl() throws(Interruption) -> LoopControl {
        let raw = task.keywords["loop_control"]?.dict
        var common = raw ?? Dict()
        common["label"] = nil
        common["break_when"] = nil
        return LoopControl(try render(.dict(common)).dict ?? Dict(), raw: raw)
    }

    static let noItems = TaskResult(
        status: .skipped,
        result: ["changed": false, "results": [], "skipped": true, "skipped_reason": "No items in the list"],
        isLoop: true)

    /// One item's result with what says whose it is.
    func labelled(_ given: TaskResult, _ loop: LoopItem) throws(Interruption) -> TaskResult {
        var result = given
        do throws(Interruption) { result.label = try label(loop.control, loop.item) } catch {
            guard case .failed(let failure) = error else { throw error }
            let message = failure.result["msg"]?.pythonText ?? ""
            let prefix = "Task failed: "
            let reason = message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message
            result.status = .failed
            result.diagnostic = failure.diagnostic
            result.label = loop.item.holdsSecretText ? "(hidden)" : loop.item.pythonText
            result.result["failed"] = true
            result.result["exception"] = Self.noTraceback
            result.result["msg"] = .string("Failed to template loop_control.label: \(reason)")
        }
        for (name, value) in loop.variables where name.text != "ansible_loop" {
            result.result[name] = value.untrusted
        }
        if let extended = loop.variables["ansible_loop"] { result.result["ansible_loop"] = extended.untrusted }
        return result
    }

    func label(_ control: LoopControl, _ item: Value) throws(Interruption) -> String {
        guard let label = control.rawLabel else { return item.holdsSecretText ? "(hidden)" : item.pythonText }
        return (try render(label)).pythonText
    }

    func summary(of results: [TaskResult]) -> TaskResult {
        let failed = results.contains { $0.status == .failed }
        let unreachable = results.contains { $0.status == .unreachable }
        let allSkipped = results.allSatisfy { $0.status == .skipped }
        var result: Dict = [
            "changed": .bool(results.contains { $0.result["changed"]?.isTrue ?? false }),
            "results": .list(results.map { .dict($0.registered) }), "skipped": .bool(allSkipped),
            "msg": failed ? "One or more items failed" : allSkipped ? "All items skipped" : "All items completed",
        ]
        if failed { result["failed"] = true }
        if unreachable { result["unreachable"] = true }
        let status: Status =
            unreachable ? .unreachable : failed ? .failed : allSkipped ? .skipped
            : (result["changed"]?.isTrue ?? false) ? .changed : .ok
        return TaskResult(
            status: status, result: result, isHidden: results.contains(where: \.isHidden),
            diagnostic: results.first { $0.status == .failed }?.diagnostic,
            isFatalToAll: results.contains(where: \.isFatalToAll), isLoop: true)
    }

    /// Registers, tells, notifies, and throws where the result ends the way.
    func conclude(_ given: TaskResult) throws(Interruption) { try leave(by: try settle(given)) }

    /// - Returns: what ends the way.
    func settle(_ given: TaskResult) throws(Interruption) -> Interruption? {
        var result = given
        register(result)
        if let role = scope.role, ![.skipped, .unreachable].contains(given.status) { run.startedRoles.insert(role.key) }
        if result.result["changed"]?.isTrue ?? false, ![.failed, .unreachable].contains(result.status) {
            do throws(Interruption) {
                try run.notify(isLoop ? notifications : try strings("notify"), by: task)
            } catch {
                guard case .failed(let failure) = error else { throw error }
                result.status = .failed
                result.diagnostic = failure.diagnostic
                // No item tells of this one.
                result.isLoop = false
                for (key, value) in failure.result where key.text != "changed" { result.result[key] = value }
            }
        }
        var pending: Interruption?
        if result.status == .failed || result.status == .unreachable {
            let keyword = result.status == .failed ? "ignore_errors" : "ignore_unreachable"
            var isIgnored = ignores[result.status]
            if isIgnored == nil { isIgnored = try flag(keyword) }
            // An include whose file is not there ends the way whatever the task says, as with Ansible.
            if isIgnored ?? false {
                result.status = .ignored
                if given.status == .unreachable { result.result["skip_reason"] = "Host is unreachable" }
            } else {
                result.isFatalToAll = try flag("any_errors_fatal")
                pending = .failed(TaskFailure(failed(result), diagnostic: result.diagnostic))
            }
        }
        report(result)
        run.coordinator.tell(.result(position, info, presented(result)))
        return pending
    }

    /// Throws what ends the way, here or because of another host.
    func leave(by given: Interruption?) throws(Interruption) {
        var pending = given
        if let echo = try verdict(failed: pending != nil) { pending = pending ?? echo }
        if let pending { throw pending }
    }

    /// A failed result with the task that it is of.
    func failed(_ result: TaskResult) -> Dict {
        var shown = result.registered
        shown["_failed_task"] = .dict(described)
        return shown
    }

    /// Under `any_errors_fatal`, what fails on one host fails on all; where a block takes that up, each host has to
    /// learn of it before it goes on.
    func verdict(failed: Bool) throws(Interruption) -> Interruption? {
        // Handlers that run in spite of failures are as good as an `always` around everything.
        let isGuarded = run.guardedDepth > 0 || run.plan.settings.forceHandlers
        guard isGuarded, !run.plan.settings.isFree, task.keywords["any_errors_fatal"] != nil,
            try flag("any_errors_fatal")
        else { return nil }
        // Behind the task, but before what it includes.
        let end = position.adding(includeModules.contains(task.module) ? -1 : .max)
        switch try run.coordinator.ask(.verdict(end, failed: failed)) {
        case .value(let host?):
            var failure = TaskFailure("any_errors_fatal: '\(host.pythonText)' failed")
            failure.isEcho = true
            return .failed(failure)
        case .stop(let reason): throw .stopped(reason)
        default: return nil
        }
    }

    func register(_ result: TaskResult) {
        guard let name = task.keywords["register"]?.text else { return }
        run.state.assigned[name] = Value.dict(result.remembered).untrusted
    }

    /// The task as `ansible_failed_task` shows it: its keywords as they are written, its arguments without secrets.
    private var described: Dict {
        var all = task.keywords.filter { !$0.key.pythonText.hasPrefix("_") }
        all["name"] = .string(ownName)
        all["action"] = .string(task.module)
        let isHidden = (try? flag("no_log")) ?? true
        // Not rendered again: lookups may do something.
        all["args"] = .dict(isHidden ? Dict() : lastArguments ?? task.arguments.dict ?? Dict())
        if let role = scope.role { all["role"] = .string(role.name) }
        return Dict(uniqueKeysWithValues: all.elements).mapValues(\.untrusted)
    }

    /// Tells other hosts' coordinator what became known, when any template reads other hosts' variables.
    private func report(_ result: TaskResult) {
        let settings = run.plan.settings
        let isFactual = result.result["ansible_facts"] != nil && task.module != "include_vars"
        let learnt = isFactual && (task.module != "set_fact" || lastArguments?["cacheable"]?.asBool ?? false)
        guard settings.reportsVariables else {
            if learnt, settings.reportsFacts { run.coordinator.tell(.variables(Dict(), facts: run.state.facts)) }
            return
        }
        var variables = Dict()
        if let name = task.keywords["register"]?.text { variables[name] = run.state.assigned[name] }
        if task.module == "set_fact" || task.module == "include_vars" {
            variables.merge(run.state.assigned) { $1 }
            variables.merge(run.state.included) { own, _ in own }
        }
        if !variables.isEmpty || learnt {
            run.coordinator.tell(.variables(variables, facts: learnt ? run.state.facts : Dict()))
        }
    }

    /// As it may leave this process: hidden under `no_log`, secrets masked, internal keys gone.
    func presented(_ result: TaskResult) -> TaskResult {
        var shown = result
        if run.plan.settings.verbosity < 3 { shown.dropInvocations() }
        if result.isHidden {
            shown.result = [
                "censored": """
                the output has been hidden due to the fact that 'no_log: true' was specified for this result
                """,
                "changed": result.result["changed"] ?? false,
            ]
            for key in ["failed", "skipped", "unreachable"] {
                if let value = result.result[key] { shown.result[key] = value }
            }
            // Its items have been told.
            if result.isLoop { shown.result["results"] = [] }
            shown.diff = []
            shown.diagnostic = nil
            shown.label = result.label.map { _ in "(censored due to no_log)" }
        } else if !run.masking.isEmpty {
            shown.result = run.masking.masked(shown.result)
            shown.diff = result.diff.map(run.masking.masked)
            shown.label = result.label.map(run.masking.masked)
            shown.warnings = result.warnings.map(run.masking.masked)
            shown.diagnostic = result.diagnostic.map(run.masking.masked)
        }
        return shown
    }

    // MARK: Conditions

    /// All conditions of a list hold.
    func conditions(_ value: Value) throws(Interruption) -> Bool { try firstFalse(value) == nil }

    /// The first condition that does not hold, or `nil`.
    func firstFalse(_ value: Value) throws(Interruption) -> Value? {
        switch value {
        case .list(let list):
            for item in list { if let failed = try firstFalse(item) { return failed } }
            return nil
        case .bool(let bool): return bool ? nil : value
        case .null: return nil
        case .string(let text):
            let isUnsafe = text.mark?.isDeclaredUnsafe ?? false
            // What a template or a module made is no expression; only what somebody wrote into a file is.
            if isUnsafe || (text.place == nil && !text.isTemplate) {
                let refusal = TemplateError(
                    Diagnostic(
                        "Encountered untrusted template or expression.", at: text.place,
                        notes: ["conditions are defined by playbooks and roles, not by results"]))
                throw interruption(
                    conditional(refusal), isUnsafe ? "Error while evaluating conditional: " : "")
            }
            warnOfDelimiters(text)
            do throws(TemplateError) {
                return try run.templater.condition(text, in: scope) ? nil : .string(text.untrusted)
            } catch {
                var error = conditional(error)
                if error.told.hasPrefix("Syntax error"), Templater.looksLikeTemplate(text.string) {
                    error.diagnostic.notes.append("a condition is an expression: write its variables without braces")
                }
                throw interruption(
                    error, error.isUndefined ? "Error while evaluating conditional: " : "")
            }
        default:
            if run.plan.settings.allowsBrokenConditions { return value.isTrue ? nil : value }
            let message = "Conditional expressions must be strings."
            throw interruption(TemplateError(Diagnostic(message, at: value.place ?? task.place)))
        }
    }

    private func warnOfDelimiters(_ text: Text) {
        guard text.isTemplate, Templater.isWrapped(text.string.trimmed) else { return }
        let feature = "Conditionals should not be surrounded by templating delimiters such as {{ }} or {% %}."
        let version = "2.23"
        deprecations.append([
            "msg": .string(feature), "version": .string(version), "collection_name": "ansible.builtin",
            "deprecator": ["resolved_name": "ansible.builtin", "type": .null],
        ])
        let message = "\(feature) This feature will be removed from ansible-core version \(version)."
        run.coordinator.tell(.message(Diagnostic(message, at: text.place ?? task.place, severity: .deprecation)))
    }

    private func conditional(_ error: TemplateError) -> TemplateError {
        var error = error
        error.diagnostic.notes.append("while evaluating a condition of task '\(info.name)'")
        return error
    }

    func pause(seconds: Double) throws(Interruption) {
        let call = ModuleCall(
            module: "_sleep", arguments: ["seconds": .double(seconds)], checkMode: false, diffMode: false,
            environment: Dict(), verbosity: 0, become: nil, isHidden: false, basis: scope.basis)
        let result = run.executor.perform(call, asking: run.coordinator) { () throws(Interruption) in }
        if result.isStop { throw .stopped("stopped while waiting") }
    }
}

/// Modules that bring more tasks while the play runs.
let includeModules: Set<String> = ["include_tasks", "include_role", "include"]

extension TaskResult {
    /// What the task's variable holds in the end: of the calls of modules, only those of a loop's items.
    var remembered: Dict {
        var all = registered
        all["invocation"] = nil
        return all
    }

    /// For whoever did not ask to see what modules were called with.
    mutating func dropInvocations() {
        result["invocation"] = nil
        guard let items = result["results"]?.list, items.contains(where: { $0["invocation"] != nil }) else { return }
        result["results"] = .list(
            items.map { item in
                guard var dict = item.dict else { return item }
                dict["invocation"] = nil
                return .dict(dict)
            })
    }

    /// As it is registered: without keys that are for the display.
    var registered: Dict {
        let own = result.filter { !$0.key.pythonText.hasPrefix("_ansible_") }
        var all = Dict(uniqueKeysWithValues: own.elements)
        if !warnings.isEmpty, all["warnings"] == nil { all["warnings"] = .strings(warnings) }
        return all
    }
}

extension Value {
    var holdsSecretText: Bool {
        var found = false
        forEachText { found = found || $0.isSecret }
        return found
    }
}
