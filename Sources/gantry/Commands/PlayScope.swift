import Controller
import Engine
import Playbooks
import Templates
import Values
import Wire

/// What a play's own keywords may read: its variables, and lookups of this machine.
struct PlayScope: Scope {
    let variables: Dict
    let lookups: ControllerLookups
    var hosts: PlayHosts?

    func value(of name: String) throws(TemplateError) -> Value? { variables[name] }
    var names: [String] { variables.names }
    func object(named name: String) -> (any TemplateObject)? { name == "hostvars" ? hosts : nil }

    func lookup(_ plugin: String, _ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        let basis = SearchBasis(roles: [], taskFolder: ".", playFolder: ".")
        do throws(Diagnostic) {
            let short = plugin.split(separator: ".").last.map(String.init) ?? plugin
            return try lookups.results(short, terms, options, basis).map(\.untrusted)
        } catch { throw TemplateError(error) }
    }
}

/// `hostvars` where no host's engine is there to ask.
struct PlayHosts: TemplateObject {
    /// A variable of a host; without a name, the names of all of them.
    typealias Variable = (_ host: String, _ name: String?) throws(TemplateError) -> Value?

    let names: [String]
    let variable: Variable

    init(names: [String], variable: @escaping Variable) {
        self.names = names
        self.variable = variable
    }

    func member(_ key: Value) throws(TemplateError) -> Value? { nil }

    func object(_ key: Value) throws(TemplateError) -> (any TemplateObject)? {
        let host = key.pythonText
        // This machine is known under its names, whether it is in the inventory or not.
        let isKnown = names.contains(host) || ["localhost", "127.0.0.1", "::1"].contains(host)
        return isKnown ? PlayHost(host: host, variable: variable) : nil
    }

    var keys: [Value] { names.map { .string($0) } }
}

private struct PlayHost: TemplateObject {
    let host: String
    let variable: PlayHosts.Variable

    func member(_ key: Value) throws(TemplateError) -> Value? { try variable(host, key.pythonText) }
    var keys: [Value] { get throws(TemplateError) { try variable(host, nil)?.list ?? [] } }
}
