import Templates
import Values
import Wire

/// A plugin in Python that the controller runs for this host: what it asks is answered here, where variables,
/// modules and the machine are.
struct PluginRun {
    let scope: TaskScope
    /// Does what an action plugin asks of the host (`module`, `command`); `nil` for a lookup, which may only render.
    var act: ((_ what: String, _ ask: Value) throws(Interruption) -> Value)?

    /// - Parameter begin: what the plugin is and gets.
    /// - Returns: what it came to (`result`), with what it warned of (`warnings`).
    /// - Parameter withVariables: it gets all of them; otherwise it asks for those that it reads.
    func reply(_ begin: Dict, withVariables: Bool = true) throws(Interruption) -> Value {
        var given = begin
        if withVariables { given["variables"] = .dict(variables()) }
        given["folder"] = .string(scope.basis.playFolder)
        let id = Value.string("\(scope.run.plan.host) \(UInt64.random(in: 0 ... .max))")
        var step: Value = ["id": id, "begin": .dict(given)]
        while true {
            let reply = try converse(step)
            guard let what = reply["ask"]?.text else {
                guard let error = reply["error"]?.text else { return reply }
                throw .failed(TaskFailure(Diagnostic(error)))
            }
            do throws(Interruption) {
                step = ["id": id, "answer": ["value": try answer(what, reply)]]
            } catch {
                guard case .failed(let failure) = error else {
                    _ = try? converse(["id": id, "end": true])
                    throw error
                }
                step = ["id": id, "answer": ["error": failure.result["msg"] ?? "it failed"]]
            }
        }
    }

    /// The same, where a template asked for it.
    func answered(_ begin: Dict, withVariables: Bool = true) throws(TemplateError) -> Value {
        let reply: Value
        do throws(Interruption) { reply = try self.reply(begin, withVariables: withVariables) } catch {
            if case .failed(let failure) = error, let diagnostic = failure.diagnostic {
                throw TemplateError(diagnostic)
            }
            throw TemplateError(error.message)
        }
        if let absent = AbsentValue(reply["absent"] ?? .null) { throw TemplateError(absent.message, undefinedName: "") }
        return reply
    }

    private func converse(_ step: Value) throws(Interruption) -> Value {
        switch try scope.run.coordinator.ask(.converse(step)) {
        case .asked(let reply): return reply
        case .failure(let diagnostic): throw .failed(TaskFailure(diagnostic))
        case .stop(let reason): throw .stopped(reason)
        default: throw .unexpectedAnswer
        }
    }

    private func answer(_ what: String, _ ask: Value) throws(Interruption) -> Value {
        guard what == "template" else {
            guard let act else { throw .failed(TaskFailure("a lookup cannot ask for '\(what)'")) }
            return try act(what, ask)
        }
        let before = scope.local
        defer { scope.local = before }
        for (name, value) in ask["variables"]?.dict ?? Dict() { scope.local[name] = value }
        do throws(TemplateError) { return try scope.run.templater.render(ask["value"] ?? .null, in: scope) } catch {
            if error.isUndefined, ask["absent"]?.isTrue ?? false {
                return AbsentValue(index: nil, message: error.told).value
            }
            throw .failed(TaskFailure(error.told))
        }
    }

    /// All variables as they are written; what is in vaults is opened.
    private func variables() -> Dict {
        var all = Dict()
        let more = ["ansible_facts", "role_path", "role_name", "ansible_search_path"]
        for name in Set(scope.names + more) where !name.hasPrefix("_") {
            guard let value = try? scope.value(of: name) else { continue }
            var isSealed = false
            value.forEachText { isSealed = isSealed || $0.isSealed }
            all[name] = isSealed ? (try? scope.run.templater.render(value, in: scope)) ?? .null : value
        }
        return all
    }
}

extension Lookup {
    /// A lookup plugin that is written in Python.
    func foreign(
        _ name: String, _ terms: [Value], _ options: Dict, _ scope: TaskScope
    ) throws(TemplateError) -> [Value] {
        let reply = try PluginRun(scope: scope).answered([
            "kind": "lookup", "name": .string(name), "terms": .list(terms), "options": .dict(options),
        ])
        return (reply["result"]?.list ?? []).map(\.untrusted)
    }
}

extension TaskScope {
    func plugin(
        _ kind: PluginKind, _ name: String, _ arguments: [Value], _ named: Dict
    ) throws(TemplateError) -> Value {
        let reply = try PluginRun(scope: self).answered([
            "kind": .string(kind.rawValue), "name": .string(name), "arguments": .list(arguments),
            "named": .dict(named),
        ], withVariables: false)
        return reply["result"] ?? .null
    }
}
