import Controller
import Hosts
import Engine
import Playbooks
import Templates
import Values
import Wire

/// What the controller knows of a host: for the host's own plan, and for templates of others (`hostvars`).
struct HostView {
    let inventory: Inventory
    let files: DiskFiles
    let folders: [String]
    let context: PlanContext
    let extra: Dict

    /// What the inventory says, with what is under `!vault` opened.
    func variables(of host: String) throws(Diagnostic) -> Dict {
        do throws(Diagnostics) {
            return Project.opened(try inventory.variables(of: host, playbookFolders: folders), files)
        } catch {
            throw error.all.first ?? Diagnostic("the variables of '\(host)' cannot be read")
        }
    }

    /// Magic variables that differ from host to host.
    func own(_ host: String) -> Dict {
        var own: Dict = ["group_names": .strings(inventory.groupNames(of: host))]
        if let source = inventory.source(of: host) {
            own["inventory_dir"] = .string(source.folder)
            own["inventory_file"] = .string(source.file)
        }
        return own
    }

    /// Every variable of a host as others see it in `hostvars`, not rendered: nothing of plays, roles and tasks.
    func all(of host: String, playFolder: String, known: HostKnowledge = HostKnowledge()) throws(Diagnostic) -> Dict {
        var all = try variables(of: host)
        let merges = context.settings.mergesHashes
        if !context.settings.hidesFacts { all = combined(all, known.facts, merging: merges) }
        all["ansible_facts"] = .dict(named(facts: known.facts))
        all = combined(combined(all, known.assigned, merging: merges), extra, merging: merges)
        for (key, value) in context.magic where isHostsMagic(key.pythonText) { all[key] = value }
        for (key, value) in Planner.magic(ofPlaysIn: playFolder, context.settings) { all[key] = value }
        for (key, value) in own(host) { all[key] = value }
        all["inventory_hostname"] = .string(host)
        all["inventory_hostname_short"] = .string(host.split(separator: ".").first.map(String.init) ?? host)
        all["groups"] = .dict(Dict(inventory.groups.map { ($0.key, Value.strings($0.value)) }))
        return all
    }

    static func rendered(
        _ value: Value, _ name: String, of host: String, among all: Dict, by templater: Templater
    ) throws(Diagnostic) -> Value {
        do throws(TemplateError) { return try templater.render(value, in: DictScope(all)) } catch {
            // That nothing opens it matters to who reads it.
            if case .string(let text) = value, text.isSealed { return value }
            var diagnostic = error.diagnostic
            diagnostic.notes.append("in variable '\(name)' of host '\(host)'")
            throw diagnostic
        }
    }
}
