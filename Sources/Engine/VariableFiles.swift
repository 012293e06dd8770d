import Values
import Wire
import YAML

extension Directives {
    private static let extensions = ["yaml", "yml", "json"]

    static func includeVars(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        var loaded = Dict()
        var files: [Value] = []
        let name = arguments["_raw_params"]?.pythonText ?? arguments["file"]?.pythonText
        if let name {
            let entry = try find(name, task)
            for (key, value) in try variables(in: entry, task) { loaded[key] = value }
            files = [.string(entry.path)]
        } else if let folder = arguments["dir"]?.pythonText {
            for entry in try chosen(in: try find(folder, task), arguments, depth: 1) {
                for (key, value) in try variables(in: entry, task) { loaded[key] = value }
                files.append(.string(entry.path))
            }
        } else {
            throw .failed(
                TaskFailure(Diagnostic("'include_vars' needs parameter 'file' or 'dir'", at: task.task.place)))
        }
        if let name = arguments["name"]?.text { loaded = Dict([(name, .dict(loaded))]) }
        for (key, value) in loaded {
            let merges = arguments["hash_behaviour"]?.text == "merge"
            let merged = merges ? combined(task.run.state.included[key], value) : value
            task.run.state.included[key] = merged
        }
        return result(["ansible_facts": .dict(loaded), "ansible_included_var_files": .list(files)])
    }

    private static func combined(_ old: Value?, _ new: Value) -> Value {
        guard case .dict(var merged)? = old, case .dict(let inner) = new else { return new }
        for (key, value) in inner { merged[key] = combined(merged[key], value) }
        return .dict(merged)
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

    /// Files of a folder in order of their names, as far down as `depth` says (0: all the way).
    private static func chosen(
        in folder: FileEntry, _ arguments: Dict, depth: Int
    ) throws(Interruption) -> [FileEntry] {
        let limit = arguments["depth"]?.int ?? 0
        let ignored = arguments["ignore_files"]?.list?.map(\.pythonText) ?? []
        let accepted = arguments["extensions"]?.list?.map(\.pythonText) ?? extensions
        var files: [FileEntry] = []
        for entry in folder.children ?? [] {
            let name = String(entry.path.split(separator: "/").last ?? "")
            if entry.children != nil {
                if limit == 0 || depth < limit { files += try chosen(in: entry, arguments, depth: depth + 1) }
            } else if !ignored.contains(name), accepted.contains(where: { name.hasSuffix("." + $0) }) {
                files.append(entry)
            }
        }
        return files
    }

    private static func variables(in entry: FileEntry, _ task: TaskRun) throws(Interruption) -> Dict {
        let text = String(decoding: try task.run.contents(of: entry), as: UTF8.self)
        do throws(Diagnostic) {
            let file = SourceFile(name: entry.path, text: text)
            let (nodes, _) = try YAMLReader.documents(text, file: file)
            guard let node = nodes.first else { return Dict() }
            let value = try node.value(ValueOptions())
            guard let dict = value.dict ?? (value.isNull ? Dict() : nil) else {
                throw Diagnostic("a file of variables holds \(value.typeName), expected a mapping", at: node.place)
            }
            return entry.isSecret ? dict.mapValues { $0.mapText(\.secret) } : dict
        } catch { throw .failed(TaskFailure(error)) }
    }
}
