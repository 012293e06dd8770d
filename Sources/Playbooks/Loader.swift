import Modules
package import Templates
package import Values
import Wire
import YAML

/// Reads playbooks and everything static that they name; collects all errors before it gives up.
package final class Loader {
    let files: any ProjectFiles
    let options: LoaderOptions
    let templater: Templater
    let foreign: ForeignModules
    package internal(set) var diagnostics: [Diagnostic] = []
    /// Where files of tasks are named.
    package internal(set) var inclusions = Inclusions()
    /// How many files of tasks were named that are not there.
    var missedFiles = 0
    /// A keyword by an old name has been told.
    var toldOfOlder = false
    private var documents: [String: Node?] = [:]
    /// Whether the task in hand must work.
    var need = Need.always
    private static let playbookDepthLimit = 32

    /// Variables of reserved names that were warned of.
    private var warnedOf: Set<String> = []

    package init(files: any ProjectFiles, options: LoaderOptions, templater: Templater) {
        self.files = files
        self.options = options
        self.templater = templater
        foreign = ForeignModules(files: files, paths: options.content)
    }

    /// The plays of a playbook in order, those of imported playbooks in their places.
    ///
    /// - Throws: every error found, together; warnings are left in `diagnostics`.
    package func plays(of path: String) throws(Diagnostics) -> [Play] {
        let plays = plays(in: path, inherited: Dict(), depth: 0, from: nil)
        let errors = diagnostics.filter { $0.severity == .error }
        if !errors.isEmpty { throw Diagnostics(inOrder(errors)) }
        return plays
    }

    /// Errors of one file by their lines, files in the order in which they were met.
    private func inOrder(_ errors: [Diagnostic]) -> [Diagnostic] {
        var files: [SourceFile] = []
        for error in errors { if let file = error.place?.file, !files.contains(file) { files.append(file) } }
        return files.flatMap { file in
            errors.filter { $0.place?.file == file }.sorted { ($0.place?.line ?? 0) < ($1.place?.line ?? 0) }
        } + errors.filter { $0.place == nil }
    }

    func report(_ diagnostic: Diagnostic) {
        var diagnostic = diagnostic
        let hasWay = diagnostic.severity != .error || diagnostic.notes.contains { $0.hasPrefix("by way of") }
        if !hasWay, let file = diagnostic.place?.file.name, let note = inclusions.note(of: file) {
            diagnostic.notes.append(note)
        }
        if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
    }

    /// What Ansible finds only when the task runs: left to that moment, where the task may fail or may not run at all.
    func reportUnlessLeft(_ diagnostic: Diagnostic) {
        if !leavesErrors || diagnostic.severity != .error { report(diagnostic) }
    }

    /// Errors of the task in hand come up when it runs.
    var leavesErrors: Bool { need == .never || (need == .conditional && options.leavesConditionalErrors) }

    /// A module that is not there may be one for other systems: behind a condition that is no error yet. Ansible does
    /// not even read what names another one, whoever would rescue it; without an ansible-core it may be one of those.
    func reportMissing(module name: String, _ diagnostic: Diagnostic) {
        var diagnostic = diagnostic
        if need == .conditional { diagnostic.severity = .warning }
        let isSure = name.contains(".") || options.content.core != nil
        if isSure { report(diagnostic) } else { reportUnlessLeft(diagnostic) }
    }

    /// Takes back the errors that `body` finds, where a file of tasks is not there and the task in hand may fail.
    func leaving<Part>(_ body: () -> Part?) -> Part? {
        let (known, missed) = (diagnostics, missedFiles)
        let part = body()
        let isWrong = diagnostics.count > known.count && diagnostics[known.count...].contains { $0.severity == .error }
        guard leavesErrors, isWrong, missedFiles > missed || options.leavesConditionalErrors && need == .conditional
        else { return part }
        diagnostics = known
        return nil
    }

    private func plays(in path: String, inherited: Dict, depth: Int, from place: Place?) -> [Play] {
        guard depth < Self.playbookDepthLimit else {
            report(Diagnostic("playbooks import each other without end: '\(files.shown(path))'", at: place))
            return []
        }
        let known = diagnostics.count
        guard let node = document(path, what: "playbook", from: place) else {
            if diagnostics.count == known, files.kind(of: path) == .file {
                report(
                    Diagnostic(
                        "A playbook must contain at least one play: '\(files.shown(path))' is empty", at: place,
                        notes: ["a play begins with '- hosts: …'"]))
            }
            return []
        }
        if node.isNull || node.items?.isEmpty ?? false {
            report(
                Diagnostic(
                    "A playbook must contain at least one play", at: node.place,
                    notes: ["a play begins with '- hosts: …'"]))
            return []
        }
        guard case .sequence(let items) = node.content else {
            report(
                Diagnostic(
                    "a playbook is a list of plays", at: node.place,
                    notes: ["begin each play with '- hosts: …'; for a role's tasks, name the role in a play"]))
            return []
        }
        var plays: [Play] = []
        for item in items {
            guard case .mapping(let entries) = item.content else {
                report(Diagnostic("a play is a mapping with 'hosts' and 'tasks' or 'roles'", at: item.place))
                continue
            }
            let importing = entries.first { $0.name.map(Keywords.importingPlaybook.contains) ?? false }
            let legacy = entries.contains { $0.name == "hosts" } ? nil : entries.first { $0.name == "include" }
            if let entry = importing ?? legacy {
                plays += imported(entry, entries, path, inherited, depth)
            } else if let play = play(modern(entries), item, path, inherited) {
                plays.append(play)
            }
        }
        return plays
    }

    private func imported(
        _ entry: Node.Entry, _ entries: [Node.Entry], _ path: String, _ inherited: Dict, _ depth: Int
    ) -> [Play] {
        check(entries, allowed: Keywords.importPlaybook.union(["include"]), what: "an imported playbook")
        guard case .string(let text)? = value(entry.value) else {
            report(Diagnostic("'import_playbook' needs the name of a file", at: entry.value.place))
            return []
        }
        var name = text.string
        if text.isTemplate {
            var known = inherited["vars"]?.dict ?? Dict()
            for (key, item) in mapping(entries.first { $0.name == "vars" }?.value, "vars") { known[key] = item }
            guard let rendered = rendered(text, known) else { return [] }
            name = rendered
        }
        let own = keywords(entries, except: Keywords.importingPlaybook.union(["name", "include"]))
        let target = joined(folder(of: path), name)
        return plays(
            in: target, inherited: inheriting(own, from: inherited), depth: depth + 1, from: entry.value.place)
    }

    /// Static names may only hang on what is the same for every host, whatever the run brings.
    func rendered(_ text: Text, _ known: Dict = Dict()) -> String? {
        var all = known
        for (name, value) in options.extra { all[name] = value }
        do throws(TemplateError) {
            return try templater.render(text, in: DictScope(all)).pythonText
        } catch {
            var diagnostic = error.diagnostic
            diagnostic.place = diagnostic.place ?? text.place
            diagnostic.notes.append(
                "names of imported files and roles may hang on variables of the play, of the role, and given with -e")
            report(diagnostic)
            return nil
        }
    }

    // MARK: Plays

    private func play(_ entries: [Node.Entry], _ node: Node, _ path: String, _ inherited: Dict) -> Play? {
        func entry(_ name: String) -> Node? { entries.first { $0.name == name }?.value }
        if entry("hosts") == nil, let task = entries.first(where: { $0.name.map(isModule) ?? false }) {
            report(
                node.diagnostic(
                    "'\(task.name ?? "")' is not a valid attribute for a Play: a task where a play was expected",
                    notes: ["put tasks below 'tasks:' of a play, or name this file in 'import_tasks'"]))
            return nil
        }
        templater.plugins?.look(in: folder(of: path))
        check(entries, allowed: Keywords.play, what: "a play")
        if let user = entries.first(where: { $0.name == "user" }), entry("remote_user") != nil {
            report(
                user.key.diagnostic(
                    "both 'user' and 'remote_user' are set for this play.", hint: "'user' is the old name: leave it out"
                ))
        }
        KeywordValues(loader: self).check(entries, Keywords.play)
        guard let hosts = hosts(entry("hosts"), node) else { return nil }
        let structure: Set<String> = [
            "hosts", "name", "vars", "vars_files", "vars_prompt", "roles", "pre_tasks", "tasks", "post_tasks",
            "handlers",
        ]
        var own = keywords(entries, except: structure)
        if let user = own["user"] { own["remote_user"] = own["remote_user"] ?? user }
        let name = Self.title(entry("name").flatMap { value($0) }, hosts)
        var variables = mapping(entry("vars"), "vars")
        // What an import hands down goes first.
        for (key, item) in inherited["vars"]?.dict ?? Dict() { variables[key] = item }
        var play = Play(
            name: name, place: node.place, path: path, hosts: hosts, keywords: inheriting(own, from: inherited),
            variables: variables, variableFiles: list(entry("vars_files")), prompts: prompts(entry("vars_prompt")))
        play.keywords["vars"] = nil
        play.hasName = entry("name").flatMap { value($0) }?.isTrue ?? false
        checkVariables(variables)
        checkVariables(own)
        checkVariableFiles(play)
        let builder = PlayBuilder(self, play: play)
        builder.build(
            roles: entry("roles"), sections: [entry("pre_tasks"), entry("tasks"), entry("post_tasks")],
            handlers: entry("handlers"))
        builder.finish(&play)
        if !options.forgivesMissingHandlers { check(handlersOf: &play) }
        TemplateFiles(loader: self).check(play)
        return play
    }

    /// A handler that is not there is an error before the run, or, as in Ansible, when the play has its turn.
    private func check(handlersOf play: inout Play) {
        let missing = HandlerNames(play, leavesConditional: options.leavesConditionalErrors).missing
        if options.leavesConditionalErrors {
            play.problems = missing
        } else {
            for diagnostic in missing { report(diagnostic) }
        }
    }

    private func isModule(_ name: String) -> Bool { Registry.entry(name) != nil && !Keywords.play.contains(name) }

    /// The pattern: a text, or a list of texts, that is not empty. An empty one must never mean all hosts.
    private func hosts(_ node: Node?, _ play: Node) -> Value? {
        let notes = ["name a host, a group, 'all' or 'localhost'"]
        guard let node, let hosts = value(node) else {
            if node == nil { report(Diagnostic("a play needs 'hosts'", at: play.place, notes: notes)) }
            return nil
        }
        guard case .mapping = node.content else {
            let parts = node.items ?? [node]
            let isEmpty = parts.isEmpty || parts.contains { $0.isNull || $0.text?.allSatisfy(\.isWhitespace) ?? false }
            if isEmpty {
                report(node.diagnostic("Hosts list cannot be empty. Please check your playbook", notes: notes))
            }
            let isText = parts.allSatisfy { $0.scalar != nil }
            if !isText { report(node.diagnostic("'hosts' holds more than names", notes: notes)) }
            return isEmpty || !isText ? nil : hosts
        }
        report(node.diagnostic("'hosts' is a mapping, expected a pattern or a list of patterns", notes: notes))
        return nil
    }

    /// A play without a name is called by its pattern.
    private static func title(_ name: Value?, _ hosts: Value) -> Text {
        switch name {
        case .string(let text)? where !text.string.isEmpty: return text
        case let value? where value.isTrue: return Text(value.pythonText)
        default: break
        }
        if case .string(let text) = hosts { return text }
        let words = hosts.list ?? [hosts]
        let isTemplate = words.contains { if case .string(let text) = $0 { text.isTemplate } else { false } }
        let mark = Mark(place: hosts.place, isTemplate: isTemplate)
        return Text(words.map(\.pythonText).joined(separator: ","), mark: mark)
    }

    private func prompts(_ node: Node?) -> [Dict] {
        for item in node?.items ?? [] where !(item.entries?.contains { $0.name == "name" } ?? false) {
            report(
                item.diagnostic(
                    "Invalid vars_prompt data structure, missing 'name' key",
                    hint: "'name' is the variable that takes the answer"))
        }
        let known = [
            "name", "prompt", "default", "private", "confirm", "encrypt", "salt_size", "salt", "unsafe",
        ]
        for key in (node?.items ?? []).flatMap({ $0.entries ?? [] }).map(\.key) {
            guard let name = key.scalar?.pythonText, !known.contains(name) else { continue }
            report(
                key.diagnostic(
                    "Invalid vars_prompt data structure, found unsupported key '\(name)'",
                    hint: suggestion(for: name, among: known)))
        }
        return list(node).compactMap { $0.dict }
    }

    /// What is there of `vars_files` can be read; what is not may be made by an earlier play.
    private func checkVariableFiles(_ play: Play) {
        for entry in play.variableFiles.flatMap({ $0.list ?? [$0] }) {
            guard case .string(let text) = entry, !text.isTemplate else { continue }
            let request = SearchRequest(
                kind: "vars", name: text.string, roles: [], taskFolder: play.folder, playFolder: play.folder,
                home: options.home)
            let candidates = files.candidates(for: request)
            guard let path = candidates.first(where: { files.kind(of: $0) == .file }) else { continue }
            if let node = document(path, what: "file of variables", from: text.place) {
                warnOfReserved(in: node)
                checkVariables(mapping(node, path))
            }
        }
    }

    // MARK: Nodes

    /// The first document of a YAML file; read once.
    func document(_ path: String, what: String, from place: Place?) -> Node? {
        if let known = documents[path] { return known }
        documents[path] = .some(nil)
        do throws(Diagnostic) {
            guard let bytes = try files.contents(of: path) else {
                let known = files.names(in: folder(of: path))
                let hint = suggestion(for: lastPart(of: path), among: known)
                report(Diagnostic("there is no \(what) '\(files.shown(path))'", at: place, hint: hint))
                return nil
            }
            let opened = try files.opened(String(decoding: bytes, as: UTF8.self), path: path)
            // Nothing of what is vaulted may stand in an excerpt.
            let name = files.shown(path)
            let file = opened.isSecret ? SourceFile(name: name) : SourceFile(name: name, text: opened.text)
            let (nodes, warnings) = try YAMLReader.documents(opened.text, file: file)
            for var warning in warnings where options.duplicateKeys != .ignore {
                if options.duplicateKeys == .error {
                    warning.severity = .error
                    warning.message = "YAML parsing failed: " + warning.message
                }
                report(warning)
            }
            documents[path] = .some(nodes.first)
            return nodes.first
        } catch {
            report(error)
            return nil
        }
    }

    func value(_ node: Node) -> Value? {
        do throws(Diagnostic) {
            var options = ValueOptions()
            let files = files
            options.decrypt = { (text: Text) throws(Diagnostic) in try files.decrypted(text) }
            return try node.value(options)
        } catch {
            report(error)
            return nil
        }
    }

    func mapping(_ node: Node?, _ what: String) -> Dict {
        guard let node, let value = value(node), !value.isNull else { return Dict() }
        if let dict = value.dict { return dict }
        // Old content writes a list of mappings.
        if let list = value.list, list.allSatisfy({ $0.dict != nil }) {
            return list.reduce(into: Dict()) { all, item in
                for (key, value) in item.dict ?? Dict() { all[key] = value }
            }
        }
        report(node.diagnostic("'\(what)' is a \(node.kindName)", hint: "expected a mapping"))
        return Dict()
    }

    /// `invalid_task_attribute_failed = false`
    func warnOfIgnored(_ name: String, at place: Place?) {
        report(Diagnostic("Ignoring invalid attribute: \(name)", at: place, severity: .warning))
    }

    func warnOfPlayHosts(in text: Text) {
        let words = text.string.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        guard words.contains("play_hosts") else { return }
        report(
            Diagnostic(
                "The `play_hosts` magic variable is deprecated. "
                    + "This feature will be removed from ansible-core version 2.23.",
                at: text.place, notes: ["Use `ansible_play_batch` instead."], severity: .deprecation))
    }

    func warnOfMappedAction(at place: Place?) {
        report(
            Diagnostic(
                "Using a mapping for `action` is deprecated. "
                    + "This feature will be removed from ansible-core version 2.23.",
                at: place, notes: ["Use a string value for `action`."], severity: .deprecation))
    }

    /// Variables that hide what the language has under their names.
    func warnOfReserved(in variables: Node) {
        for entry in variables.entries ?? [] {
            guard let name = entry.name, let warning = reservedNameWarning(name, at: entry.key.place),
                warnedOf.insert(name).inserted
            else { continue }
            report(warning)
        }
    }

    func list(_ node: Node?) -> [Value] {
        guard let node, let value = value(node), !value.isNull else { return [] }
        return value.list ?? [value]
    }

    func keywords(_ entries: [Node.Entry], except: Set<String>) -> Dict {
        var keywords = Dict()
        for entry in entries {
            guard let name = entry.name, !except.contains(name), let value = value(entry.value) else { continue }
            keywords[name] = value
        }
        return keywords
    }

    /// Unknown keywords are errors: a misspelt one would silently do nothing.
    func check(_ entries: [Node.Entry], allowed: Set<String>, what: String) {
        for entry in entries {
            guard let name = entry.name else {
                report(Diagnostic("a keyword of \(what) is a word", at: entry.key.place))
                continue
            }
            if allowed.contains(name) { continue }
            report(
                Diagnostic(
                    "'\(name)' is not a keyword of \(what)", at: entry.key.place, length: name.count,
                    hint: suggestion(for: name, among: allowed)))
        }
    }

    // MARK: Templates

    /// Syntax, filters and tests of every template and condition, before any host is touched.
    ///
    /// - Parameter severity: less than an error where nobody may come to evaluate it.
    func checkTemplates(
        in value: Value, isCondition: Bool = false, severity: Diagnostic.Severity = .error
    ) {
        switch value {
        case .string(let text):
            if text.isTemplate || isCondition {
                for var diagnostic in templater.check(text, asExpression: isCondition) {
                    if isCondition, text.string.contains("{{") {
                        diagnostic.notes.append("a condition is an expression: write its variables without braces")
                    }
                    if severity != .error, !templater.parses(text) { diagnostic.severity = severity }
                    reportUnlessLeft(diagnostic)
                }
            }
        case .list(let items):
            for item in items { checkTemplates(in: item, isCondition: isCondition, severity: severity) }
        case .dict(let dict): for item in dict.values { checkTemplates(in: item, severity: severity) }
        default: break
        }
    }
}

extension Loader {
    /// A variable may be one that nobody reads: what cannot be read is told, and fails whoever does.
    func checkVariables(_ variables: Dict) {
        for value in variables.values { checkTemplates(in: value, severity: .warning) }
    }
}

extension Node.Entry {
    /// The key, if it is a string.
    var name: String? { if case .scalar(let value) = key.content { value.text ?? value.pythonText } else { nil } }
}
