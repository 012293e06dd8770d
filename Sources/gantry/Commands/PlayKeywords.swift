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
    /// What hangs neither on a host nor on a play: `groups`, `ansible_version`, ….
    var magic = Dict()
    /// `hostvars`, where a run knows it.
    var hosts: PlayHosts?
    /// What a play's `vars_files` hold as far as their names hang on no host.
    var files: (_ play: Play, _ answers: Dict, _ magic: Dict) -> Dict = { _, _, _ in Dict() }

    /// What a play's keywords may read; answers of `vars_prompt` come when the play begins.
    func known(_ play: Play, answers: Dict = Dict()) -> Dict {
        var known = play.variables
        var magic = magic
        magic["playbook_dir"] = .string(play.folder)
        for layer in [answers, files(play, answers, magic), extra, magic] {
            for (name, value) in layer { known[name] = value }
        }
        return known
    }

    func rendered(_ value: Value, _ variables: Dict) throws(Diagnostics) -> Value {
        do throws(TemplateError) {
            return try templater.render(value, in: PlayScope(variables: variables, lookups: lookups, hosts: hosts))
        } catch { throw Diagnostics([error.diagnostic]) }
    }

    /// The host patterns that a play names.
    func patterns(of play: Play, answers: Dict = Dict()) throws(Diagnostics) -> [String] {
        let value = try rendered(play.hosts, known(play, answers: answers))
        return value.list?.map(\.pythonText) ?? [value.pythonText]
    }

    /// As it is written, where it cannot be rendered.
    func name(of play: Play, answers: Dict = Dict()) -> String {
        let title = play.hasName ? Value.string(play.name) : play.hosts
        let shown = (try? rendered(title, known(play, answers: answers))).map { $0.list ?? [$0] }
        return (shown ?? [.string(play.name)]).map(\.pythonText).joined(separator: ",")
    }
}

extension Project {
    var playKeywords: PlayKeywords {
        var keywords = PlayKeywords(
            templater: templater, extra: extra,
            lookups: ControllerLookups(
                configuration: configuration, files: files, environment: configuration.environment, home: home))
        keywords.magic["groups"] = .dict(Dict(inventory.groups.map { ($0.key, Value.strings($0.value)) }))
        return keywords
    }
}
