import Modules
import Patterns
import Templates
import Values
import Wire
import YAML

extension Directives {
    static func includeVars(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        var loaded = Dict()
        var files: [Value] = []
        var isSecret = false
        let name = arguments["_raw_params"]?.pythonText ?? arguments["file"]?.pythonText
        if let name {
            let entry = try find(name, task)
            isSecret = entry.isSecret
            for (key, value) in try variables(in: entry, task) { loaded[key] = value }
            files = [.string(entry.path)]
        } else if let folder = arguments["dir"]?.pythonText {
            for entry in try chosen(in: try find(folder, task), try choice(arguments, task)) {
                for (key, value) in try variables(in: entry, task) { loaded[key] = value }
                files.append(.string(entry.path))
                isSecret = isSecret || entry.isSecret
            }
        } else {
            throw .failed(
                TaskFailure(Diagnostic("'include_vars' needs parameter 'file' or 'dir'", at: task.task.place)))
        }
        if let name = arguments["name"]?.text { loaded = Dict([(name, .dict(loaded))]) }
        for (key, value) in loaded {
            if let warning = reservedNameWarning(key.pythonText, at: key.place ?? value.place ?? task.task.place) {
                task.run.coordinator.tell(.message(warning))
            }
            let given = arguments["hash_behaviour"]?.text
            let merges = given.map { $0 == "merge" } ?? task.run.plan.settings.mergesHashes
            task.run.state.included = combined(task.run.state.included, [key: value], merging: merges)
        }
        var shown: Dict = ["ansible_facts": .dict(loaded), "ansible_included_var_files": .list(files)]
        // What came out of a vault is shown of no file of the lot.
        if isSecret { shown["_ansible_no_log"] = true }
        return result(shown)
    }

    private static func find(_ name: String, _ task: TaskRun) throws(Interruption) -> FileEntry {
        let (entry, searched) = try task.run.file(FileRequest(kind: .vars, name: name, basis: task.scope.basis))
        if let entry { return entry }
        throw .failed(
            TaskFailure(
                Diagnostic(
                    "there is no file of variables '\(name)'",
                    at: task.task.arguments["file"]?.place ?? task.task.place,
                    notes: searched.isEmpty ? [] : ["searched: " + searched.joined(separator: ", ")])))
    }

    /// What `dir` takes of a folder.
    private struct Choice {
        /// Levels of folders; 0 is all of them.
        var depth = 0
        var ignored: [String] = []
        var extensions = ["yaml", "yml", "json"]
        var ignoresUnknown = false
        var pattern: Pattern?
    }

    private static func choice(_ arguments: Dict, _ task: TaskRun) throws(Interruption) -> Choice {
        func strings(_ name: String) -> [String]? {
            arguments[name].map { $0.list?.map(\.pythonText) ?? [$0.pythonText] }
        }
        var choice = Choice()
        choice.depth = arguments["depth"].flatMap { try? Int(parameter: $0) } ?? 0
        choice.ignored = strings("ignore_files") ?? []
        choice.extensions = strings("extensions") ?? choice.extensions
        choice.ignoresUnknown = arguments["ignore_unknown_extensions"]?.asBool ?? false
        guard let pattern = arguments["files_matching"]?.text else { return choice }
        do throws(PatternError) { choice.pattern = try Pattern(pattern) } catch {
            throw .failed(
                TaskFailure(
                    Diagnostic(
                        "'files_matching' is no regular expression: \(error.message)",
                        at: task.task.arguments["files_matching"]?.place ?? task.task.place)))
        }
        return choice
    }

    /// Files of a folder in order of their names, folder by folder.
    private static func chosen(
        in folder: FileEntry, _ choice: Choice, depth: Int = 1
    ) throws(Interruption) -> [FileEntry] {
        var files: [FileEntry] = []
        for entry in folder.children ?? [] {
            let name = String(entry.path.split(separator: "/").last ?? "")
            if entry.children != nil {
                if choice.depth == 0 || depth < choice.depth {
                    files += try chosen(in: entry, choice, depth: depth + 1)
                }
                continue
            }
            let isMatching =
                try choice.pattern.map { pattern throws(Interruption) in try matches(pattern, name) } ?? true
            if choice.ignored.contains(name) || !isMatching { continue }
            guard choice.extensions.contains(where: { name.hasSuffix("." + $0) }) else {
                if choice.ignoresUnknown { continue }
                let message = "\(entry.path) does not have a valid extension: "
                    + choice.extensions.joined(separator: ", ")
                throw .failed(TaskFailure(["failed": true, "changed": false, "message": .string(message),
                    "msg": .string(message), "ansible_facts": .dict(Dict()), "ansible_included_var_files": []]))
            }
            files.append(entry)
        }
        return files
    }

    private static func matches(_ pattern: Pattern, _ name: String) throws(Interruption) -> Bool {
        do throws(PatternError) { return try pattern.search(name) != nil } catch {
            throw .failed(TaskFailure("'files_matching' cannot be matched with '\(name)': \(error.description)"))
        }
    }

    private static func variables(in entry: FileEntry, _ task: TaskRun) throws(Interruption) -> Dict {
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
            guard let dict = value.dict ?? (value.isNull ? Dict() : nil) else {
                throw Diagnostic("a file of variables holds \(value.typeName), expected a mapping", at: node.place)
            }
            return entry.isSecret ? dict.mapValues { $0.mapText(\.secret) } : dict
        } catch { throw .failed(TaskFailure(error)) }
    }
}
