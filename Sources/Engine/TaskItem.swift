import Crypto
import Modules
import Templates
import Values
import Wire

/// A task without its loop, or one item of it: condition, arguments, retries, judgement.
struct TaskItem {
    let task: TaskRun
    let loop: LoopItem?
    var run: PlayRun { task.run }
    var keywords: Dict { task.task.keywords }

    init(_ task: TaskRun, item loop: LoopItem?) {
        self.task = task
        self.loop = loop
    }

    /// Runs it; a failure of the task is a result. Only what ends the way is thrown.
    func outcome() throws(Interruption) -> TaskResult {
        let isHidden = (try? task.flag("no_log")) ?? true
        var result: TaskResult
        do throws(Interruption) {
            _ = try task.flag("no_log")
            try chooseDelegate()
            if let when = keywords["when"], let condition = try task.firstFalse(when) {
                result = Self.skipped(condition)
            } else {
                result = try perform(isHidden)
            }
        } catch {
            guard case .failed(let failure) = error else { throw error }
            result = task.failure(failure)
        }
        result.isHidden = isHidden || (result.result["_ansible_no_log"]?.isTrue ?? false)
        return result
    }

    /// The delegate is named once for an item: its template may choose at random.
    private func chooseDelegate() throws(Interruption) {
        task.scope.delegate = nil
        guard let written = keywords["delegate_to"] else { return }
        // What cannot be rendered matters only when the condition holds.
        guard let value = try? task.render(written), !value.isNull, !Templater.isOmit(value) else { return }
        let delegate = value.pythonText
        if delegate.isEmpty {
            let problem = "Empty hostname produced from delegate_to: \"\(written.pythonText)\""
            throw .failed(TaskFailure("Task failed: " + problem))
        }
        task.scope.delegate = delegate
    }

    static func skipped(_ condition: Value) -> TaskResult {
        TaskResult(
            status: .skipped,
            result: [
                "changed": false, "skipped": true, "skip_reason": "Conditional result was False",
                "false_condition": condition,
            ])
    }

    private func perform(_ isHidden: Bool) throws(Interruption) -> TaskResult {
        try task.checkNumbers()
        guard let until = keywords["until"] ?? (keywords["retries"] != nil ? .bool(true) : nil) else {
            return try judged(try attempt(isHidden))
        }
        let retries = max(0, (try task.keyword("retries")).flatMap { try? Int(parameter: $0) } ?? 3)
        // One try is no loop: whether it was the last is not asked.
        if retries == 0 { return try judged(try attempt(isHidden)) }
        var delay = (try task.keyword("delay")).flatMap { try? Double(parameter: $0) } ?? 5
        if delay < 0 { delay = 1 }
        var attempt = 1
        while true {
            var tried = try self.attempt(isHidden)
            tried.result["attempts"] = .int(attempt)
            var result = try judged(tried)
            let isDone = keywords["until"] == nil ? result.status != .failed : try holds(until, result)
            if isDone || result.status == .unreachable { return result }
            if attempt > retries {
                result.result["failed"] = true
                // What `failed_when` said still counts for what becomes of the task.
                if let verdict = result.result["failed_when_result"], !verdict.isTrue {
                    result.status = result.result["changed"]?.isTrue ?? false ? .changed : .ok
                } else {
                    result.status = .failed
                    result.result["exception"] = result.result["exception"] ?? TaskRun.noTraceback
                }
                result.result["attempts"] = .int(retries)
                return result
            }
            if let reason = run.coordinator.stopReason { throw .stopped(reason) }
            run.coordinator.tell(.retry(task.position, task.info, left: retries - attempt + 1))
            attempt += 1
            try task.pause(seconds: delay)
        }
    }

    private func holds(_ until: Value, _ result: TaskResult) throws(Interruption) -> Bool {
        try withResult(result) { () throws(Interruption) in try task.conditions(until) }
    }

    /// Evaluates with the result under the name that it will be registered as.
    private func withResult<T>(
        _ result: TaskResult, _ body: () throws(Interruption) -> T
    ) throws(Interruption) -> T {
        let before = task.scope.local
        defer { task.scope.local = before }
        if let name = keywords["register"]?.text { task.scope.local[name] = Value.dict(result.registered).untrusted }
        return try body()
    }

    /// One try.
    private func attempt(_ isHidden: Bool) throws(Interruption) -> TaskResult {
        if case .string(let problem)? = keywords["_problem"], !Directives.checksItself.contains(task.task.module) {
            throw .failed(TaskFailure(Diagnostic(problem.string, at: problem.place ?? task.task.place)))
        }
        for name in ["check_mode", "diff"] { _ = try task.flag(name) }
        let throttle = try task.throttle()
        try refuseBackground()
        var arguments = try arguments()
        if task.task.module == "async_status", arguments["_async_dir"] == nil {
            arguments["_async_dir"] = try jobFolder().map { .string($0) }
        }
        var delegate = task.scope.delegate
        if task.task.module == "package", arguments["use"] ?? "auto" == "auto" {
            arguments["use"] = try packageManager(delegate) ?? arguments["use"]
        }
        task.lastArguments = arguments
        if let path = keywords["_plugin"]?.text {
            if delegate == nil { delegate = try task.keyword("delegate_to")?.pythonText }
            let way = try way(delegate, throttle)
            return try taken(try plugin(path, arguments, isHidden, delegate, way), way.delegate)
        }
        if let directive = Directives.all[task.task.module] { return try act(directive, arguments) }
        if delegate == nil { delegate = try task.keyword("delegate_to")?.pythonText }
        let way = try way(delegate, throttle)
        if task.task.module == "gather_facts" { return try gather(arguments, isHidden, delegate, way) }
        let call = try ready(task.task.module, keywords["_module"]?.text, arguments, isHidden, delegate)
        if let seconds = try jobSeconds() { return try taken(try inBackground(call, way, seconds), way.delegate) }
        return try taken(withInvocation(of: call, try send(call, way)), way.delegate)
    }

    /// What variables say about the package manager; of the task alone, where it is another host's.
    private func packageManager(_ delegate: String?) throws(Interruption) -> Value? {
        let name = "ansible_package_use"
        let isElsewhere = delegate.map { $0 != run.plan.host } ?? false
        let own = keywords["vars"]?.dict?[.string(Text(name))]
        let value =
            isElsewhere
            ? try own.map { (written) throws(Interruption) in try task.render(written) } : try variable(name)
        return value.flatMap { $0.isTrue ? $0 : nil }
    }

    /// The call of one module, with all that it needs.
    ///
    /// - Parameter path: its file, where it is not built in.
    func ready(
        _ module: String, _ path: String?, _ arguments: Dict, _ isHidden: Bool, _ delegate: String?
    ) throws(Interruption) -> ModuleCall {
        let entry = path == nil ? Registry.entry(module) : nil
        guard entry != nil || path != nil else {
            throw .failed(TaskFailure(Diagnostic("there is no module '\(module)'", at: task.task.place)))
        }
        for parameter in entry?.parameters ?? [] where parameter.isSecret {
            for name in [parameter.name] + parameter.aliases {
                if let secret = arguments[name]?.text { run.masking.learn(secret) }
            }
        }
        var call = try call(entry?.name ?? module, arguments, isHidden)
        if let path { call.foreign = try task.foreignCall(path, delegate: delegate) }
        if ["setup", "gather_facts"].contains(module) { call.python = try task.python(delegate) ?? "" }
        return call
    }

    private func way(_ delegate: String?, _ throttle: Int) throws(Interruption) -> Way {
        let target = delegate == run.plan.host ? nil : delegate
        let reach = if let target { try task.variables(ofDelegate: target) } else { try task.ownReach() }
        return Way(delegate: target, reach: reach, throttle: throttle)
    }

    /// Where a call goes, and how many hosts may make it at once.
    struct Way {
        let delegate: String?
        /// What the task itself says about how the host is reached.
        let reach: Dict
        let throttle: Int
    }

    /// Runs a module: here, or where the coordinator sends it.
    func send(_ call: ModuleCall, _ way: Way) throws(Interruption) -> CallResult {
        let position = task.position
        let info = task.info
        let coordinator = run.coordinator
        let isFree = run.plan.settings.isFree
        let throttle = way.throttle
        let called: CallResult
        if way.delegate != nil || run.isAway || !way.reach.isEmpty {
            let target = way.delegate ?? run.plan.host
            let question = Question.delegate(
                host: target, call, variables: way.reach, position, throttle: throttle)
            switch try coordinator.ask(question) {
            case .call(let result): called = result
            case .failure(let diagnostic):
                let told = ([diagnostic.message] + [diagnostic.hint].compactMap { $0 }).joined(separator: "\n")
                throw .failed(TaskFailure(diagnostic, told: "Task failed: \(told)"))
            case .stop(let reason): throw .stopped(reason)
            default: throw .unexpectedAnswer
            }
        } else {
            var isPassed = false
            called = run.executor.perform(call, asking: coordinator) { () throws(Interruption) in
                if isPassed { return }
                coordinator.tell(.started(position, info))
                if !isFree || throttle > 0 { try coordinator.awaitTurn(position, info, throttle) }
                isPassed = true
            }
            // Where nobody waits, nothing else would tell that this host makes room for another.
            if isFree, throttle > 0, isPassed { try coordinator.awaitTurn(position.adding(.max), info, 0) }
        }
        if called.isStop { throw .stopped(called.result["msg"]?.pythonText ?? "stopped") }
        return task.task.module == "fetch" ? try kept(called, call.arguments) : called
    }

    /// What the module was given: people see it with `-vvv`, and what is registered of a loop's items has it.
    private func withInvocation(of call: ModuleCall, _ called: CallResult) -> CallResult {
        guard run.plan.settings.verbosity >= 3 || loop != nil,
            called.result["invocation"] ?? called.result["unreachable"] == nil,
            !Self.tellsNothing.contains(task.task.module), let entry = Registry.entry(call.module), call.foreign == nil
        else { return called }
        var shown = called
        shown.result["invocation"] = ["module_args": .dict(entry.invocation(call.arguments))]
        return shown
    }

    /// Actions that ansible-core itself does, without a module that would tell.
    private static let tellsNothing: Set<String> = ["raw", "script", "wait_for_connection", "gather_facts", "fetch"]

    /// Hands over what `fetch` has read.
    private func kept(_ called: CallResult, _ arguments: Dict) throws(Interruption) -> CallResult {
        guard let text = called.result["content"]?.text, let contents = try? Base64.decode(text) else { return called }
        let file = FetchedFile(
            source: called.result["source"]?.text ?? "", destination: arguments["dest"]?.pythonText ?? "",
            isFlat: arguments["flat"]?.asBool ?? false, contents: contents)
        switch try run.coordinator.ask(.keep(file)) {
        case .call(let result): return result
        case .failure(let diagnostic): return failed(diagnostic.message)
        case .stop(let reason): throw .stopped(reason)
        default: throw .unexpectedAnswer
        }
    }

    /// Directives fail by throwing; `failed_when` decides over that, too.
    private func act(_ directive: Directives.Body, _ arguments: Dict) throws(Interruption) -> TaskResult {
        var result: TaskResult
        do throws(Interruption) { result = try directive(task, arguments) } catch {
            guard case .failed(let failure) = error, failure.diagnostic == nil else { throw error }
            result = task.failure(failure)
        }
        result.delegate = task.scope.delegate.flatMap { $0 == run.plan.host ? nil : $0 }
        return result
    }

    func call(_ module: String, _ arguments: Dict, _ isHidden: Bool) throws(Interruption) -> ModuleCall {
        let environment = try environment()
        let settings = run.plan.settings
        let check = try task.keyword("check_mode") == nil ? settings.checkMode : try task.flag("check_mode")
        let diff = try task.keyword("diff") == nil ? settings.diffMode : try task.flag("diff")
        var call = ModuleCall(
            module: module, arguments: arguments, checkMode: check, diffMode: diff, environment: environment,
            verbosity: settings.verbosity, become: try become(), isHidden: isHidden, timeout: try limit(),
            basis: task.scope.basis)
        call.files = try prepared(module, arguments)
        return call
    }

    /// Seconds that the task may take; 0 is no limit.
    private func limit() throws(Interruption) -> Double {
        guard let value = try task.keyword("timeout") else { return 0 }
        let seconds = try? Double(parameter: value)
        if let seconds, (0...100_000_000).contains(seconds) { return seconds }
        let message = "Timeout \(value.pythonText) is invalid, it must be between 0 and 100000000."
        let place = keywords["timeout"]?.place ?? task.task.place
        throw .failed(TaskFailure(Diagnostic(message, at: place), told: "Task failed: " + message))
    }

    private func become() throws(Interruption) -> Become? {
        var wanted = try task.keyword("become")
        if wanted == nil { wanted = try variable("ansible_become") }
        guard wanted?.asBool ?? false else { return nil }
        func text(_ keyword: String, _ variables: [String], _ fallback: String) throws(Interruption) -> String {
            for name in variables { if let value = try variable(name), !value.isNull { return value.pythonText } }
            return try task.keyword(keyword)?.pythonText ?? fallback
        }
        let method = try text("become_method", ["ansible_become_method"], "sudo")
        func own(_ setting: String) -> [String] { ["ansible_\(method)_\(setting)"] }
        var password: String?
        let names = ["ansible_become_password", "ansible_become_pass"] + own("password") + own("pass")
        for name in names where password == nil {
            let value = try variable(name)
            password = value.flatMap { $0.isNull || $0.pythonText.isEmpty ? nil : $0.pythonText }
        }
        if password == nil { password = keywords["_become_password"]?.text }
        if let password { run.masking.learn(password) }
        let user = try text("become_user", ["ansible_become_user"] + own("user"), "root")
        var become = Become(
            method: method, user: user.isEmpty ? "root" : user,
            flags: try text("become_flags", ["ansible_become_flags"] + own("flags"), ""),
            executable: try text("become_exe", ["ansible_become_exe"] + own("exe"), ""),
            password: password.map(Secret.init))
        become.folder = try text("", own("chdir"), "")
        for name in own("prompt_l10n") where become.prompts.isEmpty {
            let given = try variable(name)
            become.prompts = given?.list?.map(\.pythonText) ?? given.map { [$0.pythonText] } ?? []
        }
        let limit = try text("", ["ansible_local_become_success_timeout"], "")
        become.patience = Double(limit).map { max(1, $0) } ?? 0
        return become
    }

    func variable(_ name: String) throws(Interruption) -> Value? {
        do throws(TemplateError) {
            guard let value = try task.scope.value(of: name) else { return nil }
            return try run.templater.render(value, in: task.scope)
        } catch { throw task.interruption(error) }
    }

    // MARK: Arguments

    /// The module's arguments: defaults, then what is written, rendered; what comes out as `omit` is left out.
    ///
    /// - Parameter rendersAll: what a directive says, too, as far as it is not an expression.
    func arguments(rendersAll: Bool = false) throws(Interruption) -> Dict {
        var all = try defaults()
        switch task.task.arguments {
        case .string(let text): for (key, value) in try splat(text) { all[key] = value }
        case .dict(var written):
            let templates = written.removeValue(forKey: "_variable_params").map { $0.list ?? [$0] } ?? []
            for case .string(let text) in templates {
                for (key, value) in try splat(text) { all[key] = value }
            }
            for (key, value) in written { all[key] = value }
        default: break
        }
        if rendersItself {
            var kept = Dict()
            for (key, value) in all where try !isOmitted(value) {
                let isExpression = ["that", "var"].contains(key.text)
                kept[key] = rendersAll && !isExpression ? try task.render(argument: key.pythonText, value) : value
            }
            return kept
        }
        var rendered = Dict()
        for (key, value) in all {
            let result = try task.render(argument: key.pythonText, value)
            if result != Templater.omit { rendered[key] = result }
        }
        return try split(rendered, all)
    }

    /// Conditions and names of variables are not values: these read what is written.
    private var rendersItself: Bool {
        keywords["_plugin"] == nil && Directives.rendersItself.contains(task.task.module)
    }

    /// Arguments that are one template; none where it is omitted.
    private func splat(_ text: Text) throws(Interruption) -> Dict {
        let rendered = try rendersItself
            ? task.container(text) : task.render(.string(text))
        if rendered == Templater.omit { return Dict() }
        if let dict = rendered.dict { return dict }
        let message = "Task args must resolve to a 'dict' not '\(rendered.typeName)'."
        let name = Registry.fullName(task.task.module)
        throw .failed(
            TaskFailure(
                Diagnostic(message, at: text.place ?? task.task.place),
                told: "Task failed: Finalization of task args for '\(name)' failed: " + message))
    }

    /// A parameter that is one template, and comes out as `omit`.
    private func isOmitted(_ value: Value) throws(Interruption) -> Bool {
        guard case .string(let text) = value, text.isTemplate, text.string.contains("omit") else { return false }
        return try task.render(value) == Templater.omit
    }

    /// From `module_defaults`, by any of the module's names.
    private func defaults() throws(Interruption) -> Dict {
        // A module that a template names is known only now.
        guard let found = try task.keyword("_defaults")?.list else { return try defaults(of: task.task.module) }
        var merged = Dict()
        for layer in found { for (name, setting) in layer.dict ?? Dict() { merged[name] = setting } }
        return merged
    }

    func defaults(of module: String) throws(Interruption) -> Dict {
        guard let all = try task.keyword("module_defaults")?.dict else { return Dict() }
        var merged = Dict()
        for (key, value) in all where Registry.shortName(key.pythonText) == module {
            for (name, setting) in value.dict ?? Dict() { merged[name] = setting }
        }
        return merged
    }

    /// Controller files that the module will ask for, and its template rendered here, where the variables are.
    private func prepared(_ module: String, _ arguments: Dict) throws(Interruption) -> [PreparedFile] {
        guard module == "template", let name = arguments["src"]?.text else { return [] }
        let request = FileRequest(kind: .templates, name: name, basis: task.scope.basis)
        let (entry, searched) = try run.file(request)
        guard let entry else { throw .failed(missing(name, "template", searched)) }
        let text = try run.text(of: entry)
        do throws(TemplateError) {
            let destination: Dict = ["template_destpath": arguments["dest"] ?? .null]
            let rendered = try task.scope.rendering(entry, with: destination) { () throws(TemplateError) in
                try run.templater.renderFile(text, options: fileOptions(arguments), in: task.scope)
            }
            return [PreparedFile(name: name, entry: entry, rendered: Text(rendered))]
        } catch {
            var diagnostic = error.diagnostic
            diagnostic.notes.append("on host '\(run.plan.host)', task '\(task.info.name)' (\(task.task.place))")
            throw .failed(TaskFailure(diagnostic, told: "Task failed: " + error.told))
        }
    }

    private func fileOptions(_ arguments: Dict) -> FileOptions {
        var options = FileOptions()
        func set(_ name: String, _ path: WritableKeyPath<FileOptions, String>) {
            if let value = arguments[name]?.text { options[keyPath: path] = value }
        }
        set("block_start_string", \.blockStart)
        set("block_end_string", \.blockEnd)
        set("variable_start_string", \.variableStart)
        set("variable_end_string", \.variableEnd)
        set("comment_start_string", \.commentStart)
        set("comment_end_string", \.commentEnd)
        if let value = arguments["trim_blocks"]?.asBool { options.trimBlocks = value }
        if let value = arguments["lstrip_blocks"]?.asBool { options.lstripBlocks = value }
        if let value = arguments["newline_sequence"]?.text {
            options.newline = ["\\n": "\n", "\\r": "\r", "\\r\\n": "\r\n"][value] ?? value
        }
        return options
    }

    private func missing(_ name: String, _ what: String, _ searched: [String]) -> TaskFailure {
        TaskFailure(
            Diagnostic(
                "there is no \(what) '\(name)'", at: task.task.arguments["src"]?.place ?? task.task.place,
                notes: searched.isEmpty ? [] : ["searched: " + searched.joined(separator: ", ")]))
    }

    // MARK: The result

    /// Takes facts in, and gives the result its status.
    func taken(_ called: CallResult, _ delegate: String?) throws(Interruption) -> TaskResult {
        var result = called.result
        if let facts = result["ansible_facts"]?.dict, !facts.isEmpty {
            let clean = facts.mapValues(\.untrusted)
            if let delegate, delegate != run.plan.host, try task.flag("delegate_facts") {
                _ = try run.coordinator.ask(.delegateFacts(host: delegate, clean, isAssigned: false))
            } else {
                run.state.learn(clean)
                if task.task.module == "gather_facts" { run.state.learn([.string(Text(gatheredMark)): true]) }
            }
        }
        if result["changed"] == nil { result["changed"] = false }
        if loop == nil, run.plan.settings.verbosity < 3 { result["invocation"] = nil }
        addLines("stdout", "stdout_lines", &result)
        addLines("stderr", "stderr_lines", &result)
        return TaskResult(
            status: Self.status(of: result), result: result, diff: called.diff, warnings: called.warnings,
            delegate: delegate)
    }

    private func addLines(_ name: String, _ lines: String, _ result: inout Dict) {
        guard let text = result[name]?.text, result[lines] == nil else { return }
        result[lines] = .strings(pythonLines(text))
    }

    private static func status(of result: Dict) -> Status {
        if result["unreachable"]?.isTrue ?? false { return .unreachable }
        if result["failed"]?.isTrue ?? false { return .failed }
        if result["skipped"]?.isTrue ?? false { return .skipped }
        return result["changed"]?.isTrue ?? false ? .changed : .ok
    }

    /// `changed_when` and `failed_when` decide over what the module said.
    private func judged(_ given: TaskResult) throws(Interruption) -> TaskResult {
        var result = given
        if result.result["failed"] == nil { result.result["failed"] = .bool(result.status == .failed) }
        guard result.status != .unreachable, result.status != .skipped else { return result }
        let wasFailed = result.status == .failed
        if let condition = keywords["changed_when"] {
            switch try verdict(condition, result) {
            case .bool(let changed): result.result["changed"] = .bool(changed)
            case let problem:
                result.result["changed_when_result"] = problem
                result.result["failed"] = true
                return Self.settled(result)
            }
        }
        if let condition = keywords["failed_when"] {
            let failed = try verdict(condition, result)
            result.result["failed_when_result"] = failed
            result.result["failed"] = .bool(failed != false)
            if failed == false {
                result.diagnostic = nil
                if wasFailed {
                    result.result["failed_when_suppressed_exception"] =
                        result.result["exception"] ?? TaskRun.noTraceback
                    result.result["exception"] = nil
                }
            } else if result.result["msg"] == nil {
                result.result["msg"] = "Task failed: Action failed: Unknown error."
            }
        }
        return Self.settled(result)
    }

    /// A condition over the result: a boolean, or why it could not be decided.
    private func verdict(_ condition: Value, _ result: TaskResult) throws(Interruption) -> Value {
        do throws(Interruption) {
            return .bool(try withResult(result) { () throws(Interruption) in try task.conditions(condition) })
        } catch {
            guard case .failed(let failure) = error else { throw error }
            let message = failure.result["msg"]?.pythonText ?? ""
            let prefix = "Task failed: "
            return .string(message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message)
        }
    }

    private static func settled(_ given: TaskResult) -> TaskResult {
        var result = given
        result.status = status(of: given.result)
        if result.status == .failed, result.result["exception"] == nil {
            result.result["exception"] = TaskRun.noTraceback
        }
        return result
    }
}

extension Coordinator {
    /// Waits until every other host has finished what comes before.
    func awaitTurn(_ position: Position, _ info: TaskInfo, _ throttle: Int) throws(Interruption) {
        switch try ask(.turn(position, info, throttle: throttle)) {
        case .proceed: return
        case .stop(let reason): throw .stopped(reason)
        default: throw .unexpectedAnswer
        }
    }
}

/// Python's `splitlines()`.
func pythonLines(_ text: String) -> [String] {
    var lines: [String] = []
    var line = ""
    var scalars = text.unicodeScalars.makeIterator()
    var previous: Unicode.Scalar?
    while let scalar = scalars.next() {
        defer { previous = scalar }
        switch scalar {
        case "\n" where previous == "\r": continue
        case "\n", "\r", "\u{b}", "\u{c}", "\u{1c}", "\u{1d}", "\u{1e}", "\u{85}", "\u{2028}", "\u{2029}":
            lines.append(line)
            line = ""
        default: line.unicodeScalars.append(scalar)
        }
    }
    if !line.isEmpty { lines.append(line) }
    return lines
}
