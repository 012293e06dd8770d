package import Values

/// Filters, tests and lookups that are not built in: somebody else's code, by name.
package protocol TemplatePlugins: AnyObject {
    func has(_ kind: PluginKind, _ name: String) -> Bool
    /// - Parameter arguments: the value first.
    func apply(
        _ kind: PluginKind, _ name: String, _ arguments: [Value], _ named: Dict
    ) throws(TemplateError) -> Value
    /// Where such plugins may be: beside a playbook or a role.
    func look(in folder: String)
    /// Why the one of this name could not be loaded, where there is one.
    func failure(_ kind: PluginKind, _ name: String) -> String?
    /// Why some could not be read.
    var problems: [String] { get }
}

package enum PluginKind: String, Sendable { case filter, test, lookup }

extension TemplatePlugins {
    package func look(in folder: String) {}
    package func failure(_ kind: PluginKind, _ name: String) -> String? { nil }
    package var problems: [String] { [] }
}

extension Templater {
    func filter(named name: String) -> Filter? { Filters.filter(named: name) ?? plugin(.filter, name) }
    func test(named name: String) -> Filter? { Filters.test(named: name) ?? plugin(.test, name) }

    /// What is wrong with the name of a filter or test that there is not.
    func unknown(_ kind: PluginKind, _ name: String) -> TemplateError {
        if let why = plugins?.failure(kind, name) {
            return TemplateError(
                "\(kind.rawValue) plugin '\(name)' failed to load: \(why)",
                words: "Syntax error in template: The \(kind.rawValue) plugin '\(name)' failed to load: \(why)")
        }
        return Filters.unknown(name, kind.rawValue, kind == .filter ? Filters.names : Filters.testNames)
    }

    private func plugin(_ kind: PluginKind, _ name: String) -> Filter? {
        guard plugins?.has(kind, name) ?? false else { return nil }
        return Filter(parameters: [], required: 0, acceptsUndefined: false, isOpen: true) {
            (use) throws(TemplateError) in
            let evaluator = use.evaluator
            guard let plugins = evaluator.templater.plugins else {
                throw TemplateError("\(kind.rawValue) '\(name)' is not available here")
            }
            var arguments = [try evaluator.value(of: use.value)]
            for argument in use.call.positional { arguments.append(try evaluator.value(of: argument)) }
            var named = Dict()
            for (name, argument) in use.call.named { named[name] = try evaluator.value(of: argument) }
            while true {
                let result = try plugins.apply(kind, name, arguments, named)
                guard result.dict?.count == 1, let wanted = result["\0wants"]?.text else {
                    return .raw(result.untrusted)
                }
                try evaluator.countIteration()
                named["\0context"] = .dict(try Self.context(adding: wanted, to: named["\0context"], evaluator))
            }
        }
    }

    /// The variables that a plugin has asked for so far, and one more; `*` are all.
    private static func context(
        adding name: String, to given: Value?, _ evaluator: Evaluator
    ) throws(TemplateError) -> Dict {
        var known = given?["known"]?.dict ?? Dict()
        var absent = given?["absent"]?.list ?? []
        let outermost = Frame(nil, isTop: true)
        for name in name == "*" ? evaluator.scope.names : [name] {
            let datum = try evaluator.lookUp(name, outermost, Span(0, 1))
            if datum.isUndefined {
                absent.append(.string(Text(name)))
            } else {
                known[name] = try? evaluator.value(of: datum)
            }
        }
        if name == "*" || known[name] == nil { absent.append(.string(Text(name))) }
        return ["known": .dict(known), "absent": .list(absent)]
    }
}
