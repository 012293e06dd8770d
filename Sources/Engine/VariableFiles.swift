import Modules
import Patterns
import Templates
import Values
import Wire
import YAML

/// What `include_vars` has read so far.
private struct Loading {
    var variables = Dict()
    var files: [Value] = []
    var isSecret = false
    /// Why it cannot go on, in Ansible's words.
    var problem: String?
}

extension TaskRun {
    /// The `vars_files` whose names hang on facts, read as far as these are known.
    func openVariableFiles() throws(Interruption) -> Dict {
        var all = Dict()
        for entry in run.openFiles {
            guard let file = try variableFile(entry) else { continue }
            guard let variables = try Directives.variables(in: file, self) else {
                throw .failed(TaskFailure("\(file.path) must be stored as a dictionary/hash"))
            }
            all = combined(all, variables, merging: run.plan.settings.mergesHashes)
        }
        return all
    }

    /// The first of an entry's files that is there; `nil` while a name is not known.
    private func variableFile(_ entry: Value) throws(Interruption) -> FileEntry? {
        let folder = run.plan.bases.first?.playFolder ?? "."
        let basis = SearchBasis(roles: [], taskFolder: folder, playFolder: folder)
        var tried: [String] = []
        for candidate in entry.list ?? [entry] {
            let name: String
            do throws(TemplateError) { name = try run.templater.render(candidate, in: scope).pythonText } catch {
                guard error.isUndefined else { throw interruption(error) }
                guard run.state.hasGathered else { return nil }
                let item = entry.pythonText
                let doing = "an undefined variable was found when attempting to template the vars_files item"
                throw interruption(error, "\(doing) '\(item)': ")
            }
            let (found, _) = try run.description(FileRequest(kind: .vars, name: name, basis: basis))
            if let found { return found }
            tried.append(name)
        }
        let name = entry.list?.first ?? entry
        let warning = Diagnostic(
            "there is no file of variables '\(name.pythonText)'", at: name.place ?? run.plan.place,
            notes: ["looked for as \(tried.map { "'\($0)'" }.joined(separator: ", ")) when facts were known"],
            severity: .warning)
        run.coordinator.tell(.message(warning))
        return nil
    }
}

extension Directives {
    static func includeVars(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        let hasFolder = ["dir", "depth", "files_matching", "ignore_files", "extensions", "ignore_unknown_extensions"]
            .contains { arguments[$0] != nil }
        if hasFolder, arguments["file"] ?? arguments["_raw_params"] != nil {
            throw .failed(
                TaskFailure("Task failed: You are mixing file only and dir only arguments, these are incompatible"))
        }
        var loading = Loading()
        if let folder = arguments["dir"], folder.isTrue {
            try load(folder: folder.pythonText, try choice(arguments), task, &loading)
        } else {
            try load(file: arguments["file"] ?? arguments["_raw_params"] ?? .null, task, &loading)
        }
        var loaded = loading.variables
        if let name = arguments["name"]?.text { loaded = Dict([(name, .dict(loaded))]) }
        if loading.problem == nil {
            if let given = arguments["hash_behaviour"]?.text { loaded = try over(loaded, given == "merge", task) }
            if let delegate = task.scope.delegate, delegate != task.run.plan.host, try task.flag("delegate_facts") {
                _ = try task.run.coordinator.ask(.delegateFacts(host: delegate, loaded, isAssigned: true))
            } else {
                take(loaded, task)
            }
        }
        var shown: Dict = ["ansible_facts": .dict(loaded), "ansible_included_var_files": .list(loading.files)]
        // What came out of a vault is shown of no file of the lot.
        if loading.isSecret { shown["_ansible_no_log"] = true }
        guard let problem = loading.problem else { return result(shown) }
        let failure: Dict = [
            "failed": true, "changed": false, "message": .string(problem), "msg": .string(problem),
        ]
        throw .failed(TaskFailure(shown.merging(failure) { $1 }))
    }

    /// Puts the variables among those that files gave.
    private static func take(_ loaded: Dict, _ task: TaskRun) {
        for (key, value) in loaded {
            if let warning = reservedNameWarning(key.pythonText, at: key.place ?? value.place ?? task.task.place) {
                task.run.coordinator.tell(.message(warning))
            }
            let merges = task.run.plan.settings.mergesHashes
            task.run.state.included = combined(task.run.state.included, [key: value], merging: merges)
        }
    }

    /// `hash_behaviour`, where it is not what the settings say: over all that the names mean now.
    private static func over(_ loaded: Dict, _ merges: Bool, _ task: TaskRun) throws(Interruption) -> Dict {
        guard merges != task.run.plan.settings.mergesHashes else { return loaded }
        var known = Dict()
        for key in loaded.keys {
            do throws(TemplateError) { known[key] = try task.scope.value(of: key.pythonText) } catch {
                throw task.interruption(error)
            }
        }
        return combined(known, loaded, merging: merges)
    }

    // MARK: A file

    private static func load(file written: Value, _ task: TaskRun, _ loading: inout Loading) throws(Interruption) {
        let advice = " on the Ansible Controller.\n"
            + "If you are using a module and expect the file to exist on the remote, see the remote_src option"
        let name = written.isNull ? "" : written.pythonText.trimmed
        guard !name.isEmpty else {
            loading.problem = "Could not find file" + advice
            return
        }
        let (entry, searched) = try task.run.description(
            FileRequest(kind: .vars, name: name, basis: task.scope.basis))
        guard let entry else {
            let places = searched.map { "\n\t" + $0 }.joined()
            loading.problem = "Could not find or access '\(name)'\nSearched in:\(places)" + advice
            return
        }
        try load(entry, task, &loading)
    }

    private static func load(_ entry: FileEntry, _ task: TaskRun, _ loading: inout Loading) throws(Interruption) {
        if let problem = entry.problem {
            loading.problem = problem
            return
        }
        loading.isSecret = loading.isSecret || entry.isSecret
        guard let variables = try variables(in: entry, task) else {
            loading.problem = "\(entry.path) must be stored as a dictionary/hash"
            return
        }
        for (key, value) in variables { loading.variables[key] = value }
        loading.files.append(.string(entry.path))
    }

    // MARK: A folder

    /// What `dir` takes of a folder.
    private struct Choice {
        /// Levels of folders; 0 is all of them.
        var depth = 0
        /// Ends of names that are passed over.
        var ignored: [Pattern] = []
        var extensions = ["yaml", "yml", "json"]
        var ignoresUnknown = false
        var pattern: Pattern?

        func takes(_ name: String) throws(PatternError) -> Bool {
            if let pattern, try pattern.search(name) == nil { return false }
            for pattern in ignored where try pattern.search(name) != nil { return false }
            return true
        }

        /// Whether what is behind the last dot is wanted; dots that the name begins with do not count.
        func accepts(extensionOf name: String) -> Bool {
            let body = name.drop { $0 == "." }
            let end = body.lastIndex(of: ".").map { String(body[body.index(after: $0)...]) } ?? ""
            return extensions.contains(end)
        }
    }

    private static func choice(_ arguments: Dict) throws(Interruption) -> Choice {
        var choice = Choice()
        choice.depth = arguments["depth"].flatMap { try? Int(parameter: $0) } ?? 0
        if let list = arguments["extensions"] {
            choice.extensions = list.list?.map(\.pythonText) ?? list.pythonText.map(String.init)
        }
        choice.ignoresUnknown = arguments["ignore_unknown_extensions"]?.asBool ?? false
        let ignored = arguments["ignore_files"].map { value in
            value.list?.map(\.pythonText) ?? value.pythonText.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        for name in ignored ?? [] {
            choice.ignored.append(try matching { () throws(PatternError) in try Pattern(name + "$") })
        }
        if let wanted = arguments["files_matching"]?.text {
            choice.pattern = try matching { () throws(PatternError) in try Pattern(wanted) }
        }
        return choice
    }

    private static func matching<T>(_ body: () throws(PatternError) -> T) throws(Interruption) -> T {
        do throws(PatternError) { return try body() } catch {
            throw .failed(TaskFailure("Task failed: names cannot be matched: \(error.description)"))
        }
    }

    /// The files of the folders in the order of the folders' paths, within each by their names.
    private static func load(
        folder name: String, _ choice: Choice, _ task: TaskRun, _ loading: inout Loading
    ) throws(Interruption) {
        let path = path(ofFolder: name, task)
        let (entry, _) = try task.run.file(FileRequest(kind: .vars, name: path, basis: task.scope.basis))
        guard let entry, entry.children != nil else {
            loading.problem = path + (entry == nil ? " directory does not exist" : " is not a directory")
            return
        }
        let folders = below(entry, levels: choice.depth > 0 ? choice.depth : .max)
        for folder in folders.sorted(by: { $0.path < $1.path }) {
            let before = loading.variables
            defer { if loading.problem != nil { loading.variables = before } }
            let files = (folder.children ?? []).filter { file in
                file.children == nil && (!file.digest.isEmpty || file.problem != nil)
            }
            for file in files.sorted(by: { $0.path < $1.path }) {
                let name = file.path.split(separator: "/").last.map(String.init) ?? file.path
                let isWanted = try matching { () throws(PatternError) in try choice.takes(name) }
                let isAccepted = choice.accepts(extensionOf: name)
                guard isWanted, isAccepted || !choice.ignoresUnknown else { continue }
                if isAccepted {
                    try load(file, task, &loading)
                } else {
                    let known = choice.extensions.joined(separator: ", ")
                    loading.problem = "\(file.path) does not have a valid extension: \(known)"
                }
                if loading.problem != nil { return }
            }
        }
    }

    private static func below(_ folder: FileEntry, levels: Int) -> [FileEntry] {
        guard levels > 1 else { return [folder] }
        let inner = (folder.children ?? []).filter { $0.children != nil }
        return [folder] + inner.flatMap { below($0, levels: levels - 1) }
    }

    /// A role's folders are in its `vars`, others beside the file of the task.
    private static func path(ofFolder name: String, _ task: TaskRun) -> String {
        if name.hasPrefix("/") { return name }
        guard let role = task.scope.role else { return task.scope.basis.taskFolder + "/" + name }
        return role.path + (name == "vars" || name.hasPrefix("vars/") ? "/" : "/vars/") + name
    }

    // MARK: What is in a file

    /// `nil`: no mapping.
    static func variables(in entry: FileEntry, _ task: TaskRun) throws(Interruption) -> Dict? {
        let text = String(decoding: try task.run.contents(of: entry), as: UTF8.self)
        do throws(Diagnostic) {
            let name = shown(entry.path, in: task.run.plan.settings.folder)
            // Nothing of what is vaulted may stand in an excerpt.
            let file = entry.isSecret ? SourceFile(name: name) : SourceFile(name: name, text: text)
            let (nodes, _) = try YAMLReader.documents(text, file: file)
            guard let node = nodes.first else { return Dict() }
            let value = try node.value(
                ValueOptions(decrypt: { sealed in
                    if case .string(let text)? = entry.opened[sealed.string] { return text }
                    return Text(sealed.string, mark: Mark(place: sealed.place, seal: .closed))
                }))
            task.run.masking.learn(from: value)
            guard let dict = value.dict ?? (value.isNull ? Dict() : nil) else { return nil }
            return entry.isSecret ? dict.mapValues { $0.mapText(\.secret) } : dict
        } catch { throw .failed(TaskFailure(error)) }
    }
}
