import Modules
import Templates
import Values
import Wire
import YAML

/// One task as it is written: finds the module among the keys, checks the rest, expands static imports.
struct TaskParser {
    private let builder: PlayBuilder
    private let surroundings: Surroundings
    private let node: Node
    private let entries: [Node.Entry]
    private var loader: Loader { builder.loader }

    init(_ builder: PlayBuilder, _ surroundings: Surroundings, _ node: Node, _ entries: [Node.Entry]) {
        self.builder = builder
        self.surroundings = surroundings
        self.node = node
        self.entries = entries
    }

    private var allowed: Set<String> { surroundings.isHandlers ? Keywords.handler : Keywords.task }

    func steps() -> [Step] {
        let around = loader.need
        defer { loader.need = around }
        loader.need = max(around, need)
        return parsedSteps()
    }

    /// Whether somebody sees to it that the task may fail, or may not run.
    private var need: Need {
        func entry(_ name: String) -> Node? { entries.first { $0.name == name }?.value }
        if surroundings.isRescued || entry("failed_when") != nil { return .never }
        let ignores = entry("ignore_errors").map { $0.scalar?.asBool ?? isTemplate($0) }
        let inherited = surroundings.inherited["ignore_errors"].map { $0.asBool ?? ArgumentCheck.holdsTemplate($0) }
        if ignores ?? inherited ?? false { return .never }
        let isConditional = entry("when") != nil || surroundings.inherited["when"] != nil || surroundings.isHandlers
        return isConditional ? .conditional : .always
    }

    private func isTemplate(_ node: Node) -> Bool { node.text.map { Templater.looksLikeTemplate($0) } ?? false }

    private func parsedSteps() -> [Step] {
        if let part = entries.first(where: { $0.name == "rescue" || $0.name == "always" }) {
            loader.report(
                part.key.diagnostic("'\(part.name ?? "")' without 'block'", hint: "put the tasks into a 'block'"))
            return []
        }
        KeywordValues(loader: loader).check(entries, allowed)
        var own = Dict()
        var actions: [Node.Entry] = []
        for entry in entries {
            guard let name = entry.name else {
                loader.report(Diagnostic("a keyword of a task is a word", at: entry.key.place))
                return []
            }
            if ["action", "local_action"].contains(name) {
                actions.append(entry)
            } else if allowed.contains(name) || Keywords.isLoop(name) {
                guard let value = loader.value(entry.value) else { continue }
                own[.string(Text(name, mark: Mark(place: entry.key.place)))] = value
            } else {
                actions.append(entry)
            }
        }
        guard let action = chosen(actions) else { return [] }
        guard let (module, arguments) = parsed(action, &own) else { return [] }
        if ["include_tasks", "include_role"].contains(module) { checkInclude(module) }
        return made(module, arguments, own, action)
    }

    /// Keywords that an include does not hand down to its tasks.
    private func checkInclude(_ module: String) {
        for entry in entries {
            guard let name = entry.name, Keywords.task.contains(name), !Keywords.include.contains(name) else {
                continue
            }
            let problem = entry.key.diagnostic(
                "'\(name)' is not a keyword of '\(module)'", hint: "for the tasks it brings, put it below 'apply:'")
            if loader.options.forgivesUnknownKeywords {
                loader.warnOfIgnored(name, at: entry.key.place)
            } else {
                loader.report(problem)
            }
        }
    }

    /// The one key that names a module.
    private func chosen(_ actions: [Node.Entry]) -> Node.Entry? {
        if actions.count == 1 { return actions[0] }
        if actions.isEmpty {
            loader.report(
                Diagnostic(
                    "a task without a module", at: node.place,
                    notes: ["give the module as a key, for instance 'file:', with its parameters below it"]))
            return nil
        }
        let known = actions.filter { isModule($0.name ?? "") }
        if known.count == 1 {
            for entry in actions where entry.name != known[0].name {
                let name = entry.name ?? ""
                loader.report(
                    Diagnostic(
                        "'\(name)' is not a keyword of a task", at: entry.key.place, length: name.count,
                        hint: suggestion(for: name, among: allowed)))
            }
        } else {
            let names = actions.compactMap(\.name)
            loader.report(
                Diagnostic(
                    "a task has one module, here are \(names.count): \(names.joined(separator: ", "))",
                    at: actions[1].key.place, length: names[1].count,
                    notes: [known.isEmpty ? "none of them is a module" : "write a task for each"]))
        }
        return nil
    }

    private func isModule(_ name: String) -> Bool {
        name == "action" || name == "local_action" || Registry.entry(name) != nil
            || ["include", "import_tasks", "include_tasks", "import_role", "include_role", "meta"]
                .contains(Registry.shortName(name))
    }

    /// Module and arguments, in any of the forms that Ansible knows.
    private func parsed(_ action: Node.Entry, _ own: inout Dict) -> (module: String, arguments: Value)? {
        var name = action.name ?? ""
        var given = loader.value(action.value) ?? .null
        var line: Text?
        if ["action", "local_action"].contains(name) {
            if name == "local_action" { own["delegate_to"] = "localhost" }
            if case .string(let text) = given {
                let (word, rest) = Self.split(text)
                name = word
                given = .string(rest)
            } else if let dict = given.dict, case .string(let text)? = dict["module"] {
                loader.warnOfMappedAction(at: action.value.place)
                let (word, rest) = Self.split(text)
                name = word
                if !rest.string.isEmpty { line = rest }
                given = .dict(dict.filter { $0.key.text != "module" })
            } else {
                loader.report(Diagnostic("'\(action.name ?? "")' needs the name of a module", at: action.value.place))
                return nil
            }
        }
        if Templater.looksLikeTemplate(name) {
            own["_action"] = .string(Text(name, mark: Mark(place: action.value.place, isTemplate: true)))
            return (name, arguments(merged(given, line, name, own, action), name, &own, at: action.key.place))
        }
        guard let found = resolved(Registry.shortName(name), action, &own) else { return nil }
        return (found, arguments(merged(given, line, found, own, action), found, &own, at: action.key.place))
    }

    /// The first word, and what follows it.
    private static func split(_ text: Text) -> (word: String, rest: Text) {
        let word = OneLine.words(text.string).first.map(String.init) ?? ""
        let rest = text.string.drop { $0.isWhitespace }.dropFirst(word.count)
        return (word, Text(String(rest).trimmed, mark: text.mark))
    }

    /// What stands below `action`: its `args` over what stands behind the module's name, over the rest.
    private func merged(
        _ given: Value, _ line: Text?, _ module: String, _ own: Dict, _ action: Node.Entry
    ) -> Value {
        guard ["action", "local_action"].contains(action.name), var all = given.dict else { return given }
        let extra = all["args"]
        all["args"] = nil
        if case .string(let text)? = extra {
            if all.isEmpty, line == nil { return .string(text) }
            all["_variable_params"] = .string(text)
        }
        for (key, value) in line.map({ oneLine($0, module, own) }) ?? Dict() { all[key] = value }
        for (key, value) in extra?.dict ?? Dict() { all[key] = value }
        return .dict(all)
    }

    /// Arguments in one line.
    private func oneLine(_ text: Text, _ module: String, _ own: Dict) -> Dict {
        let entry = builtIn(module, own)
        let isInclude = Self.linesOfFiles.contains(module)
        let freeForm = entry?.options.freeForm ?? (isInclude ? "_raw_params" : nil)
        let known = isInclude ? ["file", "tags"] : Set(entry?.parameters.flatMap { [$0.name] + $0.aliases } ?? [])
        return OneLine.arguments(text, freeForm: freeForm, known: known)
    }

    /// The module where it is built in, and nothing takes its place.
    private func builtIn(_ module: String, _ own: Dict) -> ModuleEntry? {
        own["_module"] == nil && own["_plugin"] == nil ? Registry.entry(module) : nil
    }

    private static let linesOfFiles = ["include_tasks", "import_tasks", "include", "meta"]

    /// The module that the name means: a built-in one, or a file that is run as Ansible would run it.
    private func resolved(_ name: String, _ action: Node.Entry, _ own: inout Dict) -> String? {
        var scope = contentScope(own)
        let isShort = name == action.name
        if isModule(name) {
            // Whoever writes 'ansible.builtin' wants what is built in.
            let isReplaceable = !(action.name ?? "").hasPrefix("ansible.builtin.")
                && !["action", "local_action"].contains(name) && !Self.neverReplaced.contains(name)
            if isReplaceable, let path = loader.foreign.actionOverride(of: name, scope) {
                return taken(action: path, name, &own)
            }
            guard isShort, let path = loader.foreign.override(of: name, scope) else { return name }
            own["_module"] = .string(path)
            return name
        }
        var found = loader.foreign.find(name, scope)
        if case .missing = found, let role = surroundings.role.map({ builder.roles[$0].path }),
            let own = builder.meta(of: role)["collections"]?.list
        {
            // Those of the role around it, and no others.
            scope.collections = own.compactMap(\.text)
            found = loader.foreign.find(name, scope)
        }
        switch found {
        case .native(let module): return module
        case .file(let path, let module):
            own["_module"] = .string(path)
            return module
        case .action(let path, let module): return taken(action: path, module, &own)
        case .missing(let notes, let candidates):
            return missing(name, &own, unknown(name, action, notes, candidates))
        }
    }

    /// What the language itself does.
    private static let neverReplaced: Set<String> = [
        "meta", "include", "include_tasks", "include_role", "import_tasks", "import_role", "import_playbook",
    ]

    private func taken(action path: String, _ module: String, _ own: inout Dict) -> String {
        own["_plugin"] = .string(path)
        let source = String(decoding: (try? loader.files.contents(of: path)).flatMap { $0 } ?? [], as: UTF8.self)
        if source.contains("supports_raw_params = True") { own["_takes_raw"] = true }
        return module
    }

    /// - Returns: the name, where the task may fail with it or not run: then it says so itself.
    private func missing(_ name: String, _ own: inout Dict, _ diagnostic: Diagnostic) -> String? {
        loader.reportMissing(module: name, diagnostic)
        guard loader.need != .always else { return nil }
        own["_problem"] = .string(Text(diagnostic.message, mark: Mark(place: diagnostic.place)))
        return name
    }

    private func contentScope(_ own: Dict) -> ContentScope {
        let basis = builder.bases[surroundings.basis]
        let around = basis.roles.first.flatMap { builder.meta(of: $0)["collections"] }
        let given = own["collections"] ?? surroundings.collections ?? around ?? builder.play.keywords["collections"]
        return ContentScope(
            roles: basis.roles + builder.roles.map(\.path).filter { !basis.roles.contains($0) },
            playFolder: basis.playFolder, collections: given?.list?.compactMap(\.text) ?? [])
    }

    private func unknown(
        _ name: String, _ action: Node.Entry, _ notes: [String], _ candidates: [String]
    ) -> Diagnostic {
        let known = Registry.all.map(\.name) + candidates
        let keyword = suggestion(for: name, among: allowed)
        return Diagnostic(
            "there is no module '\(name)'", at: action.key.place, length: (action.name ?? "").count,
            hint: suggestion(for: name, among: known) ?? keyword, notes: notes)
    }

    private func arguments(_ given: Value, _ module: String, _ own: inout Dict, at place: Place) -> Value {
        let entry = builtIn(module, own)
        let isInclude = Self.linesOfFiles.contains(module)
        var all = Dict()
        let extra = own["args"]
        own["args"] = nil
        if case .string(let text)? = extra, text.isTemplate {
            if given.isNull { return .string(text) }
            all["_variable_params"] = .string(text)
        }
        for (key, value) in extra?.dict ?? Dict() { all[key] = value }
        switch given {
        case .null: break
        case .dict(let dict): for (key, value) in dict { all[key] = value }
        case .string(let text):
            let isOneWord = OneLine.words(text.string).count == 1 && !text.string.contains("=")
            let takesRaw = own["_takes_raw"] != nil || isInclude || entry?.options.freeForm != nil
            if !takesRaw, text.isTemplate, isOneWord {
                if all.isEmpty { return .string(text) }
                all["_variable_params"] = .list((all["_variable_params"].map { [$0] } ?? []) + [.string(text)])
                break
            }
            let parsed = oneLine(text, module, own)
            if isInclude, let file = parsed["file"] { all["_raw_params"] = file }
            for (key, value) in parsed { all[key] = value }
        default:
            loader.report(
                Diagnostic(
                    "the arguments of '\(module)' are a \(given.typeName), expected a mapping", at: place,
                    length: module.count))
            return .null
        }
        return .dict(all)
    }

    // MARK: Steps

    private func made(_ module: String, _ arguments: Value, _ own: Dict, _ action: Node.Entry) -> [Step] {
        builder.checkKeywords(own)
        builder.note(arguments)
        if module == "add_host" || module == "group_by" { builder.changesInventory = true }
        let keywords = named(inheriting(own, from: surroundings.inherited))
        let defaults = defaults(keywords, module, own, action)
        let problem = checkArguments(builtIn(module, own) == nil ? "" : module, arguments, defaults, action)
        guard namesFile(module, arguments, action), isPossibleHandler(module, arguments, action) else { return [] }
        switch module {
        case "import_tasks": return importTasks(arguments, keywords, action)
        case "import_role": return builder.importRole(arguments, own, surroundings, at: action.key.place)
        default: break
        }
        var name: Text?
        if let value = own["name"], value.isTrue { name = builder.asText(value) }
        if name == nil { name = title(of: module, arguments, action) }
        let isFile = own["_module"] != nil || own["_plugin"] != nil
        if name == nil, isFile, let written = action.name, written != module { name = Text(written) }
        var all = keywords
        all["name"] = nil
        if let defaults { all["_defaults"] = .list(defaults) }
        if let problem, all["_problem"] == nil {
            all["_problem"] = .string(Text(problem.message, mark: Mark(place: problem.place)))
        }
        if surroundings.isHandlers, !surroundings.isIncluded { all["_handler"] = true }
        if let reach = reach(keywords) { all["_reach"] = .dict(reach) }
        var arguments = arguments
        if module == "include_role", let hides = loader.options.hidesRoleVariables, var given = arguments.dict {
            given["public"] = given["public"] ?? .bool(!hides)
            arguments = .dict(given)
        }
        let task = TaskPlan(
            ordinal: builder.nextOrdinal(surroundings), place: node.place, name: name, module: module,
            arguments: arguments, keywords: all,
            inherited: includesTasks(module) || Self.mayOmit(own) ? surroundings.inherited : Dict(),
            role: surroundings.role, basis: surroundings.basis)
        if includesTasks(module) { builder.preload(task, surroundings) }
        return [.task(task)]
    }

    /// What `module_defaults` has for the task; `nil` where nobody can tell yet.
    private func defaults(_ keywords: Dict, _ module: String, _ own: Dict, _ action: Node.Entry) -> [Value]? {
        guard own["_action"] == nil, let all = keywords["module_defaults"]?.dict else { return nil }
        let written = ["action", "local_action"].contains(action.name ?? "") ? module : action.name ?? module
        return ModuleDefaults(loader: loader, scope: contentScope(own)).values(all, for: written)
    }

    /// How the task's host is reached, as variables would say it, where that is not as the play says.
    private func reach(_ keywords: Dict) -> Dict? {
        var reach = Dict()
        let variables = ["connection": "ansible_connection", "remote_user": "ansible_user", "port": "ansible_port"]
        for (keyword, variable) in variables {
            guard let value = keywords[keyword], value != builder.play.keywords[keyword] else { continue }
            reach[variable] = value
        }
        return reach.isEmpty ? nil : reach
    }

    /// A keyword that comes out as `omit` is what the surroundings say.
    private static func mayOmit(_ own: Dict) -> Bool {
        own.values.contains { value in
            if case .string(let text) = value { text.isTemplate && text.string.contains("omit") } else { false }
        }
    }

    /// A role is no handler, nor is running the handlers.
    private func isPossibleHandler(_ module: String, _ arguments: Value, _ action: Node.Entry) -> Bool {
        if module == "meta", arguments["_raw_params"]?.text == "end_role", !surroundings.isIncluded,
            surroundings.isHandlers || surroundings.role == nil
        {
            let place = surroundings.isHandlers ? "a handler" : "outside of a role"
            loader.report(
                action.key.diagnostic(
                    "Cannot execute 'end_role' from \(place)",
                    notes: ["'end_host' and 'end_play' end more than a role"]))
            return false
        }
        guard surroundings.isHandlers else { return true }
        let message: String
        switch module {
        case "include_role", "import_role": message = "Using '\(module)' as a handler is not supported."
        case "meta" where arguments["_raw_params"]?.text == "flush_handlers":
            message = "flush_handlers cannot be used as a handler"
        default: return true
        }
        loader.report(action.key.diagnostic(message, notes: ["notify handlers that the role has"]))
        return false
    }

    /// What a task without a name is called, where that is not its module.
    private func title(of module: String, _ arguments: Value, _ action: Node.Entry) -> Text? {
        let written = action.name ?? ""
        if module == "include_role", let role = arguments["name"] ?? arguments["role"] {
            return Text("\(written) : \(role.pythonText)")
        }
        return Registry.shortName(written) == module && written != module ? Text(written) : nil
    }

    /// Keys without their places: those were for errors.
    private func named(_ keywords: Dict) -> Dict {
        var plain = Dict()
        for (key, value) in keywords { plain[key.pythonText] = value }
        return plain
    }

    private func includesTasks(_ module: String) -> Bool {
        ["include_tasks", "include_role", "include"].contains(module)
    }

    /// - Returns: what the task will fail with, where that is expected.
    private func checkArguments(
        _ module: String, _ arguments: Value, _ defaults: [Value]?, _ action: Node.Entry
    ) -> Diagnostic? {
        let expressions = module == "assert" ? ["that"] : []
        for (key, value) in arguments.dict ?? Dict() {
            if key.pythonText.hasPrefix("_ansible_") {
                let message = "Invalid parameter specified beginning with keyword '_ansible_' for action "
                    + "'\(action.name ?? "")': '\(key.pythonText)'. The prefix '_ansible_' is reserved for internal "
                    + "use only."
                loader.report(Diagnostic(message, at: key.place ?? action.key.place))
            }
            loader.checkTemplates(in: value, isCondition: expressions.contains(key.pythonText))
        }
        if case .string = arguments { loader.checkTemplates(in: arguments) }
        guard let entry = Registry.entry(module), let given = arguments.dict else { return nil }
        let found = ArgumentCheck.diagnostics(entry, given, over: defaults ?? [], at: action.key.place)
        for diagnostic in found { loader.reportUnlessLeft(diagnostic) }
        // A module that runs on a node says it itself, in ansible-core's words.
        return loader.leavesErrors && entry.run == nil ? found.first { $0.severity == .error } : nil
    }

    /// Whether an include or import of tasks names a file at all.
    private func namesFile(_ module: String, _ arguments: Value, _ action: Node.Entry) -> Bool {
        guard ["include_tasks", "import_tasks", "include"].contains(module), arguments.text == nil else { return true }
        let name = arguments["_raw_params"] ?? arguments["file"] ?? .null
        guard name.isNull || name.text?.isEmpty ?? false else { return true }
        loader.report(
            Diagnostic(
                "No file specified for \(action.name ?? module)", at: node.place,
                hint: "name a file of tasks, relative to this one"))
        return false
    }

    /// The file's tasks in place of the import, each with what the import hands down.
    private func importTasks(_ arguments: Value, _ keywords: Dict, _ action: Node.Entry) -> [Step] {
        guard case .string(let text)? = arguments["_raw_params"] ?? arguments["file"] else {
            loader.report(Diagnostic("'import_tasks' needs the name of a file", at: action.key.place))
            return []
        }
        if arguments["apply"] != nil {
            loader.report(
                action.key.diagnostic(
                    "Invalid options for import_tasks: apply",
                    notes: ["what an import hands down stands beside it; 'apply' belongs to include_tasks"]))
            return []
        }
        let known = builder.known(keywords["vars"]?.dict ?? Dict(), surroundings)
        guard let name = text.isTemplate ? loader.rendered(text, known) : text.string else { return [] }
        let kind: FileRequest.Kind = surroundings.isHandlers ? .handlers : .tasks
        let (path, searched) = builder.find(name, kind, surroundings)
        guard let path else {
            loader.reportMissing(tasks: name, searched, at: text.place ?? action.key.place)
            return []
        }
        var inner = surroundings
        inner.inherited = keywords.filter { Keywords.inherited.contains($0.key.pythonText) }
        inner.isNested = true
        return builder.fileSteps(path, inner, from: text.place)
    }
}
