import Values
import Wire

/// What a node may ask of the controller: what its own plan names.
///
/// Templates are rendered on the nodes, but lookups, delegated tasks and files are the controller's business. A node
/// that somebody has taken over must not run on the controller, or on other hosts, what no play would.
struct Trust {
    private let plan: PlayPlan
    private var includedSteps: [Step] = []
    private var includedRoles: [RolePlan] = []
    /// Digests of the files that were named to it, by path.
    private var offered: [String: String] = [:]
    /// Digests of the parts of modules that its tasks run.
    private var parts: Set<String> = []
    private var modules: Set<ForeignModule> = []
    /// Plugins in Python that run for the node, and files of modules that they had it run.
    private var conversations: Set<String> = []
    private var granted: Set<String> = []
    private var known: [String: Bool] = [:]
    private var reach: Set<String>
    /// What other hosts' tasks came to: a file that was made on the controller may be named there.
    private var results: [Value] = []

    /// - Parameter reach: what it said in earlier plays.
    init(_ plan: PlayPlan, reach: Set<String> = []) {
        self.plan = plan
        self.reach = reach
        for entry in plan.files.values { offer(entry) }
    }

    /// Remembers what an answer brings to the node.
    mutating func note(_ answer: Answer) {
        switch answer {
        case .file(let entry?, _):
            offer(entry)
            if let contents = entry.contents { note(text: contents) }
        case .contents(let bytes): note(text: bytes)
        case .tasks(let file):
            includedSteps += file.steps
            includedRoles += file.roles
            known = [:]
        case .module(let module):
            modules.insert(module)
            parts.formUnion(module.parts.map(\.digest))
        case .asked(let reply): if let path = reply["path"]?.text { granted.insert(path) }
        case .call(let call): results.append(.dict(call.result))
        case .once(let result, let variables, _): results += [.dict(result.result), .dict(variables)]
        case .role(let role):
            includedSteps += role.steps + role.handlers
            includedRoles += role.roles
            known = [:]
        default: break
        }
    }

    /// Templates that came later may use plugins that the plan does not name.
    private mutating func note(text: [UInt8]) {
        if text.count <= 1 << 18 { results.append(.string(String(decoding: text, as: UTF8.self))) }
    }

    private mutating func offer(_ entry: FileEntry) {
        if !entry.digest.isEmpty { offered[entry.path] = entry.digest }
        for child in entry.children ?? [] { offer(child) }
    }

    /// Why the question is not answered; `nil` when it may be.
    mutating func refusal(of question: Question) -> Diagnostic? {
        switch question {
        case .file(let request):
            if names(file: request.name) { return nil }
            return Diagnostic(
                "the node asked for '\(request.name)', which is outside of the project and not named in its plan",
                notes: ["files elsewhere must be written out in the play, at least their folder"])
        case .contents(let digest, let path):
            if offered[path] == digest { return nil }
            return Diagnostic("the node asked for '\(path)', which no task of its plan named")
        case .lookup(let plugin, _, _, _):
            let name = plugin.split(separator: ".").last.map(String.init) ?? plugin
            if !Self.acting.contains(name) || names(lookup: name) { return nil }
            return Diagnostic(
                "the node asked for lookup '\(name)', which its plan does not name",
                notes: ["a lookup that runs or writes something must be written out: lookup('\(name)', …)"])
        case .delegate(let host, let call, let variables, _, _):
            if let foreign = call.foreign, !modules.contains(foreign.module) {
                return Diagnostic("the node delegated a module '\(call.module)' that it was not given")
            }
            guard host == plan.host || delegates(call.module, to: host) else {
                return Diagnostic("the node delegated '\(call.module)' to '\(host)', which no task of its plan does")
            }
            let written = writtenReach(of: call.module).union(host == plan.host ? settableReach() : [])
            guard let strange = variables.names.first(where: { !written.contains($0) }) else { return nil }
            return Diagnostic("the node said '\(strange)' of '\(host)', which no task of its plan does")
        case .module(let path):
            let gathering = plan.magic["_facts_modules"]?.dict ?? Dict()
            let isNamed = granted.contains(path) || gathering.values.contains { $0.text == path }
                || PlayPlan.tasks(in: steps).contains { $0.keywords["_module"]?.text == path }
            return isNamed ? nil : Diagnostic("the node asked for module '\(path)', which no task of its plan runs")
        case .plugin(_, let name, _, _):
            let word = name.split(separator: ".").last.map(String.init) ?? name
            if names(plugin: word) { return nil }
            return Diagnostic("the node asked for '\(name)', which its plan does not name")
        case .keep(let file):
            if fetches(to: file.destination) { return nil }
            return Diagnostic(
                "the node wanted a file kept as '\(file.destination)', which no task of its plan fetches",
                notes: ["the beginning of 'dest' must be written out in the play"])
        case .converse(let step): return refusal(ofStep: step)
        case .parts(let digests):
            if parts.isSuperset(of: digests) { return nil }
            return Diagnostic("the node asked for parts of modules that it does not run")
        default: return nil
        }
    }

    /// A plugin is started where a task or a template names it; then it is the node's own to talk to.
    private mutating func refusal(ofStep step: Value) -> Diagnostic? {
        if let name = step["has"]?.text {
            let isNamed = names(plugin: name.split(separator: ".").last.map(String.init) ?? name)
            return isNamed ? nil : Diagnostic("the node asked for '\(name)', which its plan does not name")
        }
        let id = step["id"]?.text ?? ""
        guard let begin = step["begin"] else {
            return conversations.contains(id) ? nil : Diagnostic("the node answered a plugin that it did not start")
        }
        let name = begin["name"]?.text ?? ""
        let path = begin["path"]?.text
        let isNamed = path == nil
            ? names(plugin: name.split(separator: ".").last.map(String.init) ?? name)
            : PlayPlan.tasks(in: steps).contains { $0.keywords["_plugin"]?.text == path }
        guard isNamed else { return Diagnostic("the node started plugin '\(name)', which its plan does not name") }
        conversations.insert(id)
        return nil
    }

    /// Lookups that run something, reach the network, or write.
    private static let acting: Set<String> = ["pipe", "lines", "url", "password"]

    // MARK: Delegation

    private var steps: [Step] {
        plan.steps + plan.handlers + plan.taskFiles.values.flatMap(\.steps)
            + plan.dynamicRoles.values.flatMap { $0.steps + $0.handlers } + includedSteps
    }

    private func delegates(_ module: String, to host: String) -> Bool {
        // An include hands its keywords down to tasks that name no delegate themselves.
        let includes = PlayPlan.tasks(in: steps).contains {
            ["include_tasks", "include_role"].contains($0.module) && Self.names(host, $0)
        }
        return PlayPlan.tasks(in: steps).contains { task in
            (runs(module, task) || task.keywords["_plugin"] != nil) && (includes || Self.names(host, task))
        }
    }

    /// Variables by which tasks of that module, or includes of tasks, may say how their host is reached.
    private func writtenReach(of module: String) -> Set<String> {
        var written: Set<String> = []
        for task in PlayPlan.tasks(in: steps) {
            if let applied = task.arguments["apply"]?["vars"]?.dict { written.formUnion(applied.names) }
            guard runs(module, task) || task.keywords["_plugin"] != nil else { continue }
            for layer in [task.keywords, task.inherited] {
                for key in ["_reach", "vars"] { written.formUnion(layer[key]?.dict?.names ?? []) }
            }
        }
        return written
    }

    /// What `set_fact` may say about how the host is reached, in this play or an earlier one. What would run something
    /// on the controller must be written out: a node chooses the names that templates give.
    mutating func settableReach() -> Set<String> {
        for task in PlayPlan.tasks(in: steps) where task.module == "set_fact" {
            guard case .dict(let facts) = task.arguments else {
                reach.formUnion(harmlessReach)
                continue
            }
            for case .string(let name) in facts.keys {
                let isKnown = !name.isTemplate && name.string != "_variable_params"
                reach.formUnion(isKnown ? [name.string] : harmlessReach)
            }
        }
        return reach
    }

    /// A task runs its own module, or the one that a template names; one with `async` asks for its job, too, and one
    /// that gathers facts runs what gathers them.
    private func runs(_ module: String, _ task: TaskPlan) -> Bool {
        if task.module == module || task.keywords["_action"] != nil { return true }
        let gathers = task.module == "gather_facts"
        if module == "async_status" { return gathers || task.keywords["async"] != nil }
        guard gathers else { return false }
        let names = plan.magic["_facts_modules"]?.dict?.names ?? []
        return module == "setup" || names.contains { $0 == module || $0.hasSuffix(".\(module)") }
    }

    private static func names(_ host: String, _ task: TaskPlan) -> Bool {
        let applied = task.arguments["apply"]?["delegate_to"]
        for value in [task.keywords["delegate_to"], task.inherited["delegate_to"], applied] {
            guard case .string(let text)? = value else { continue }
            if text.isTemplate || text.string == host { return true }
        }
        return false
    }

    // MARK: Files

    /// What is written of a task's `dest` before its first template must be how the path begins.
    private func fetches(to path: String) -> Bool {
        PlayPlan.tasks(in: steps).contains { task in
            guard task.module == "fetch" || task.keywords["_action"] != nil else { return false }
            guard case .string(let text)? = task.arguments["dest"] else { return names(file: path) }
            guard text.isTemplate else { return text.string == path }
            let written = text.string.split(separator: "{", maxSplits: 1, omittingEmptySubsequences: false)[0]
            return written.isEmpty ? names(file: path) : path.hasPrefix(written)
        }
    }

    /// Names inside the folders of the project, and others whose beginning or end is written in the plan.
    private func names(file name: String) -> Bool {
        let parts = name.split(separator: "/").map(String.init)
        if !name.hasPrefix("/"), !name.hasPrefix("~"), !parts.contains("..") { return true }
        if !parts.contains("..") {
            let bases = plan.bases + plan.taskFiles.values.flatMap(\.bases) + plan.dynamicRoles.values.flatMap(\.bases)
            let folders = bases.flatMap { $0.roles + [$0.taskFolder, $0.playFolder] }
            if folders.contains(where: { name.hasPrefix($0 + "/") }) { return true }
        }
        let needles = [
            (name.hasPrefix("/") ? "/" : "") + parts.prefix(2).joined(separator: "/"),
            parts.suffix(2).joined(separator: "/"),
        ]
        return texts.contains { value in
            needles.contains { Self.holds($0, value) } || (!parts.contains("..") && Self.begins(name, value))
        }
    }

    /// Whether the path begins with one that is written there, of two folders at least.
    private static func begins(_ path: String, _ value: Value) -> Bool {
        var found = false
        value.forEachText { text in
            let word = text.string
            guard !found, word.hasPrefix("/"), path.hasPrefix(word) else { return }
            found = word.split(separator: "/").count > 1
        }
        return found
    }

    private static func holds(_ needle: String, _ value: Value) -> Bool {
        var found = false
        value.forEachText { found = found || $0.string.contains(needle) }
        return found
    }

    /// Everything in the plan that may name something.
    private var texts: [Value] {
        plan.texts + results + PlayPlan.texts(of: includedRoles) + PlayPlan.texts(of: includedSteps)
    }

    // MARK: Lookups

    private mutating func names(lookup name: String) -> Bool {
        if let answer = known[name] { return answer }
        let isNamed = texts.contains { Self.names(name, $0) }
            || plan.files.values.contains { Self.names(name, String(decoding: $0.contents ?? [], as: UTF8.self)) }
        known[name] = isNamed
        return isNamed
    }

    private mutating func names(plugin word: String) -> Bool {
        if known["plugin " + word] ?? false { return true }
        let isNamed = texts.contains { Self.holds(word, $0) || Self.loops(by: word, $0) }
            || plan.files.values.contains { String(decoding: $0.contents ?? [], as: UTF8.self).contains(word) }
        known["plugin " + word] = isNamed
        return isNamed
    }

    private static func names(_ lookup: String, _ value: Value) -> Bool {
        switch value {
        case .string(let text): names(lookup, text.string)
        case .list(let list): list.contains { names(lookup, $0) }
        case .dict(let dict): loops(by: lookup, value) || dict.contains { names(lookup, $0.value) }
        default: false
        }
    }

    /// Whether a `with_` there is that lookup's, by its short or full name.
    private static func loops(by lookup: String, _ value: Value) -> Bool {
        switch value {
        case .list(let list): list.contains { loops(by: lookup, $0) }
        case .dict(let dict):
            dict.contains { key, value in
                let name = key.text.flatMap { $0.hasPrefix("with_") ? $0.dropFirst("with_".count) : nil }
                return name?.split(separator: ".").last.map(String.init) == lookup || loops(by: lookup, value)
            }
        default: false
        }
    }

    private static func names(_ lookup: String, _ text: String) -> Bool {
        text.contains(lookup) && ["lookup", "query", "q("].contains(where: text.contains)
    }
}
