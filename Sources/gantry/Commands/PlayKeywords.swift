import Hosts
import Playbooks
import Templates
import Values
import Wire

/// Renders what a play says of itself before any host is there: its own variables and those of the command line count.
struct PlayKeywords {
    let templater: Templater
    let extra: Dict
    let lookups: ControllerLookups

    /// What a play's keywords may read; answers of `vars_prompt` come when the play begins.
    func known(_ play: Play, answers: Dict = Dict()) -> Dict {
        var known = play.variables
        for layer in [answers, extra] { for (name, value) in layer { known[name] = value } }
        return known
    }

    func rendered(_ value: Value, _ variables: Dict) throws(Diagnostics) -> Value {
        do throws(TemplateError) {
            return try templater.render(value, in: PlayScope(variables: variables, lookups: lookups))
        } catch { throw Diagnostics([error.diagnostic]) }
    }

    /// The host patterns that a play names.
    func patterns(of play: Play, answers: Dict = Dict()) throws(Diagnostics) -> [String] {
        let value = try rendered(play.hosts, known(play, answers: answers))
        return value.list?.map(\.pythonText) ?? [value.pythonText]
    }

    /// As it is written, where it cannot be rendered.
    func name(of play: Play, answers: Dict = Dict()) -> String {
        (try? templater.render(play.name, in: DictScope(known(play, answers: answers))))?.pythonText
            ?? play.name.string
    }
}

/// What a play's own keywords may read, before any host is there.
struct PlayScope: Scope {
    let variables: Dict
    let lookups: ControllerLookups

    func value(of name: String) throws(TemplateError) -> Value? { variables[name] }
    var names: [String] { variables.names }

    func lookup(_ plugin: String, _ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        let basis = SearchBasis(roles: [], taskFolder: ".", playFolder: ".")
        do throws(Diagnostic) {
            let short = plugin.split(separator: ".").last.map(String.init) ?? plugin
            return try lookups.results(short, terms, options, basis).map(\.untrusted)
        } catch { throw TemplateError(error) }
    }
}

extension Project {
    var playKeywords: PlayKeywords {
        PlayKeywords(
            templater: templater, extra: extra,
            lookups: ControllerLookups(
                configuration: configuration, files: files, environment: configuration.environment, home: home))
    }
}
