import Machine
import Playbooks
import Synchronization
import Templates
import Values

/// The one Python process of the controller: it runs filters and tests that projects and collections bring.
///
/// Started when the first of them is needed; spoken to in lines of JSON.
final class PluginHost: TemplatePlugins, Sendable {
    private struct State {
        /// Beside playbooks and roles.
        var folders: [String] = []
        var conversation: Conversation?
        var received: [UInt8] = []
        var known: [String: Bool] = [:]
        /// Filters and tests that read variables.
        var reading: Set<String> = []
        var problems: [String] = []
        var failures: [String: String] = [:]
        /// What each `runtime.yml` says of names that moved, by its path.
        var routings: [String: CollectionRouting] = [:]
        /// The names under which plugins were found that moved.
        var moved: [String: String] = [:]
    }
    private let state = Mutex(State())
    private let paths: ContentPaths
    private let configured: [PluginKind: [String]]

    init(_ configuration: Configuration) {
        paths = configuration.contentPaths
        configured = [
            .filter: configuration.paths(.filterPlugins, separator: ":").map(Disk.absolute),
            .test: configuration.paths(.testPlugins, separator: ":").map(Disk.absolute),
            .lookup: configuration.paths(.lookupPlugins, separator: ":").map(Disk.absolute),
        ]
    }

    deinit { state.withLock { _ = $0.conversation?.finish() } }

    func look(in folder: String) {
        state.withLock { state in
            guard !state.folders.contains(folder) else { return }
            state.folders.append(folder)
            state.known = [:]
        }
    }

    var problems: [String] { state.withLock { $0.problems } }

    func failure(_ kind: PluginKind, _ name: String) -> String? {
        state.withLock { $0.failures["\(kind.rawValue) \(name)"] }
    }

    func has(_ kind: PluginKind, _ name: String) -> Bool { state.withLock { has(kind, name, &$0, moves: 0) } }

    private func has(_ kind: PluginKind, _ name: String, _ state: inout State, moves: Int) -> Bool {
        let key = "\(kind.rawValue) \(name)"
        if let known = state.known[key] { return known }
        var found = false
        let folders = places(of: kind, name, state.folders)
        if kind == .lookup {
            // A lookup is a file of its name.
            let file = (name.split(separator: ".").last ?? "") + ".py"
            found = folders.contains { Disk.kind(joined($0, String(file))) == .file }
        } else if !folders.isEmpty {
            do throws(Diagnostic) {
                let reply = try ask(&state, "has", kind, name, [("folders", .strings(folders))])
                found = reply["found"]?.isTrue ?? false
                if reply["variables"]?.isTrue ?? false { state.reading.insert(key) }
            } catch {
                state.problems.append(error.message)
                state.failures[key] = error.message
            }
        }
        if !found, moves < 8, let target = redirect(kind, name, &state), has(kind, target, &state, moves: moves + 1) {
            state.moved[key] = state.moved["\(kind.rawValue) \(target)"] ?? target
            found = true
        }
        state.known[key] = found
        return found
    }

    func readsVariables(_ kind: PluginKind, _ name: String) -> Bool {
        let name = present(kind, name)
        return state.withLock { $0.reading.contains("\(kind.rawValue) \(name)") }
    }

    /// Where ansible-core, or the collection of the name, says that a plugin went.
    private func redirect(_ kind: PluginKind, _ name: String, _ state: inout State) -> String? {
        let parts = name.split(separator: ".").map(String.init)
        guard let short = parts.last else { return nil }
        let isOwn = parts.count < 3 || ["ansible.builtin", "ansible.legacy"].contains("\(parts[0]).\(parts[1])")
        let files = isOwn
            ? paths.core.map { ["\($0)/config/ansible_builtin_runtime.yml"] } ?? []
            : (state.folders + ["."]).flatMap { paths.collectionFolders(parts[0], parts[1], besides: $0) }
                .map { "\($0)/meta/runtime.yml" }
        for path in files {
            let routing = state.routings[path] ?? CollectionRouting(
                path, contents: (try? Disk.contents(path)).flatMap { $0 } ?? [])
            state.routings[path] = routing
            if let target = routing.redirect(kind.rawValue, short), target != name { return target }
        }
        return nil
    }

    /// The name that the plugin goes by now.
    private func present(_ kind: PluginKind, _ name: String) -> String {
        state.withLock { $0.moved["\(kind.rawValue) \(name)"] } ?? name
    }

    func apply(
        _ kind: PluginKind, _ name: String, _ arguments: [Value], _ named: Dict
    ) throws(TemplateError) -> Value {
        guard has(kind, name) else { throw TemplateError("there is no \(kind.rawValue) named '\(name)'") }
        let name = present(kind, name)
        let result = state.withLock { state -> Result<Value, Diagnostic> in
            do throws(Diagnostic) {
                return .success(
                    try ask(&state, "call", kind, name, [("arguments", .list(arguments)), ("named", .dict(named))]))
            } catch { return .failure(error) }
        }
        switch result {
        case .success(let value): return value
        case .failure(let diagnostic): throw TemplateError(diagnostic)
        }
    }

    /// Goes on with a plugin that runs: what it asks next, or what it came to. Or says whether there is one.
    func converse(_ step: Value) throws(Diagnostic) -> Value {
        if let name = step["has"]?.text, let kind = step["kind"]?.text.flatMap(PluginKind.init(rawValue:)) {
            let isFound = has(kind, name)
            return [
                "found": .bool(isFound), "variables": .bool(readsVariables(kind, name)),
                "failure": failure(kind, name).map { .string($0) } ?? .null,
            ]
        }
        var request = step.dict ?? Dict()
        request["do"] = "step"
        if var begin = step["begin"]?.dict {
            if let kind = begin["kind"]?.text.flatMap(PluginKind.init(rawValue:)) {
                let given = begin["name"]?.text ?? ""
                guard has(kind, given) else {
                    throw Diagnostic("The \(kind.rawValue) plugin '\(given)' was not found.")
                }
                let name = present(kind, given)
                begin["name"] = .string(name)
                begin["folders"] = .strings(places(of: kind, name, state.withLock { $0.folders }))
            }
            request["begin"] = Self.marked(.dict(begin))
        }
        if let answer = step["answer"] { request["answer"] = Self.marked(answer) }
        let sent = request
        let result = state.withLock { state -> Result<Value, Diagnostic> in
            do throws(Diagnostic) { return .success(try exchange(&state, sent)) } catch { return .failure(error) }
        }
        switch result {
        case .success(let reply):
            if let error = reply["error"]?.text { throw Diagnostic(error) }
            return Self.unmarked(reply["value"] ?? .null)
        case .failure(let diagnostic): throw diagnostic
        }
    }

    /// JSON has no marks: templates, and what has no value, travel in mappings of their own.
    private static func marked(_ value: Value) -> Value {
        switch value {
        case .string where AbsentValue(value) != nil: ["__undefined": value]
        case .string(let text): text.isTemplate ? ["__template": .string(text.untrusted)] : value
        case .list(let list): .list(list.map(marked))
        case .dict(let dict): .dict(dict.mapValues(marked))
        default: value
        }
    }

    private static func unmarked(_ value: Value) -> Value {
        switch value {
        case .list(let list): return .list(list.map(unmarked))
        case .dict(let dict):
            if dict.count == 1, let text = dict["__template"]?.text {
                return .string(Text(text, mark: Mark(isTemplate: true)))
            }
            if dict.count == 1, let absent = dict["__undefined"] { return absent }
            return .dict(dict.mapValues(unmarked))
        default: return value
        }
    }

    /// Folders that may have it. None: Python is not even started.
    private func places(of kind: PluginKind, _ name: String, _ around: [String]) -> [String] {
        let parts = name.split(separator: ".").map(String.init)
        let isCollection = parts.count >= 3
        let folders = isCollection
            ? (around + ["."]).flatMap { paths.collectionFolders(parts[0], parts[1], besides: $0) }
                .map { "\($0)/plugins/\(kind.rawValue)" }
            : around.map { joined($0, "\(kind.rawValue)_plugins") } + (configured[kind] ?? [])
        var seen: Set<String> = []
        return folders.filter { folder in
            seen.insert(folder).inserted && Disk.names(folder).contains { $0.hasSuffix(".py") }
        }
    }

    // MARK: The process

    private func ask(
        _ state: inout State, _ what: String, _ kind: PluginKind, _ name: String, _ more: [(String, Value)]
    ) throws(Diagnostic) -> Value {
        var request = Dict([("do", .string(what)), ("kind", .string(kind.rawValue)), ("name", .string(name))])
        for (key, value) in more { request[key] = value }
        let reply = try exchange(&state, request)
        if let error = reply["error"]?.text {
            throw Diagnostic(error, notes: ["by \(kind.rawValue) '\(name)', which is written in Python"])
        }
        return reply["value"] ?? .null
    }

    /// Sends a request, and waits for the reply.
    private func exchange(_ state: inout State, _ request: Dict) throws(Diagnostic) -> Value {
        let conversation = try started(&state)
        do throws(MachineError) {
            try conversation.write(Array((Value.dict(request).json() + "\n").utf8))
            return try answer(try line(from: conversation, &state), &state)
        } catch {
            state.conversation = nil
            throw Diagnostic("the Python that runs plugins failed: \(error.message)")
        }
    }

    private func line(from conversation: Conversation, _ state: inout State) throws(MachineError) -> String {
        while true {
            if let end = state.received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: state.received[..<end], as: UTF8.self)
                state.received.removeSubrange(...end)
                return line
            }
            switch try conversation.read(seconds: nil) {
            case .output(let bytes): state.received += bytes
            case .errors: continue
            case .ended, .timedOut: throw MachineError("it ended")
            }
        }
    }

    private func answer(_ line: String, _ state: inout State) throws(MachineError) -> Value {
        guard let reply = try? Value(json: line) else { throw MachineError("it sent what is no JSON") }
        for problem in reply["problems"]?.list ?? [] where !state.problems.contains(problem.pythonText) {
            state.problems.append(problem.pythonText)
        }
        return reply
    }

    private func started(_ state: inout State) throws(Diagnostic) -> Conversation {
        if let running = state.conversation { return running }
        let python = interpreter
        let roots = paths.collections + state.folders.map { joined($0, "collections") }
        let setup: Value = [
            "collections": .strings(roots.map { lastPart(of: $0) == "ansible_collections" ? Disk.folder(of: $0) : $0 }),
            "core": paths.core.map { .string(Disk.folder(of: $0)) } ?? .null,
        ]
        do throws(MachineError) {
            let conversation = try Conversation(
                Command([python, "-c", PluginProgram.text], environment: ["PYTHONUNBUFFERED": "1"]),
                on: LinuxMachine())
            try conversation.write(Array((setup.json() + "\n").utf8))
            state.conversation = conversation
            return conversation
        } catch {
            throw Diagnostic(
                "plugins are written in Python, and '\(python)' cannot be started: \(error.message)",
                notes: ["install python3 on this machine"])
        }
    }

    /// The Python that ansible-core is installed for: its plugins may import from it.
    private var interpreter: String {
        guard let core = paths.core, let range = core.firstRange(of: "/lib/python3") else { return "python3" }
        let program = "\(core[..<range.lowerBound])/bin/python3"
        return Disk.kind(program) == .file ? program : "python3"
    }
}
