import Hosts
import Playbooks
import Synchronization
import Templates
import Values
import Wire

/// A flag that is set once, from anywhere.
final class Signal: Sendable {
    private let state = Atomic<Bool>(false)
    var isSet: Bool { state.load(ordering: .acquiring) }
    func set() { state.store(true, ordering: .releasing) }
}

/// `--list-hosts`, `--list-tasks` and `--list-tags`, in Ansible's form.
struct PlayListing {
    let project: Project
    let plays: [Play]
    let settings: RunSettings
    let keywords: PlayKeywords

    /// - Parameter tags: the tags are asked for; then tasks tagged `never` count, too.
    func text(hosts: Bool, tasks: Bool, tags: Bool) throws -> String {
        var lines: [String] = []
        for (index, play) in plays.enumerated() {
            let patterns: [String]
            do throws(Diagnostics) { patterns = try keywords.patterns(of: play) } catch {
                throw CommandFailure(error.all, status: 4)
            }
            let pattern = patterns.joined(separator: ",")
            let own = self.tags(of: play.keywords, play)
            let title = "play #\(index + 1) (\(pattern)): \(keywords.name(of: play))"
            lines.append("\n  \(title)\tTAGS: [\(own.joined(separator: ","))]")
            if hosts {
                let selected = try project.inventory.select(pattern, limit: project.limit)
                for warning in selected.warnings { Output.printError(warning.shown) }
                lines.append("    pattern: [\(patterns.map { "'\($0)'" }.joined(separator: ", "))]")
                lines.append("    hosts (\(selected.hosts.count)):")
                lines += selected.hosts.map { "      \($0)" }
            }
            if tasks {
                lines.append("    tasks:")
                for task in selected(play, withNever: tags) {
                    let owner = task.module == "include_role" ? nil : task.role
                    let role = owner.map { play.roles[$0].name + " : " } ?? ""
                    // What such a task includes is not part of its name here.
                    let isUnnamed = task.name?.string.hasPrefix("include_role : ") ?? true
                    let name = isUnnamed ? task.module : role + (task.name?.string ?? "")
                    let all = self.tags(of: task.keywords, play).sorted().joined(separator: ", ")
                    lines.append("      \(name)\tTAGS: [\(all)]")
                }
            }
            if tags {
                let all = Set(selected(play, withNever: true).flatMap { self.tags(of: $0.keywords, play) })
                lines.append("      TASK TAGS: [\(all.sorted().joined(separator: ", "))]")
            }
        }
        return lines.joined(separator: "\n")
    }

    /// Ansible lists a block's main part only.
    private func selected(_ play: Play, withNever: Bool) -> [TaskPlan] {
        let run = withNever && settings.tags.isEmpty ? ["all", "never"] : settings.tags
        return Self.tasks(in: play.steps, onlyMain: true).filter { task in
            !task.isImplicit
                && isSelected(tags: Set(tags(of: task.keywords, play)), run: run, skip: settings.skipTags)
        }
    }

    static func tasks(in steps: [Step], onlyMain: Bool = false) -> [TaskPlan] {
        steps.flatMap { step -> [TaskPlan] in
            switch step {
            case .task(let task): return [task]
            case .block(let block):
                let others = onlyMain ? [] : block.rescue + block.always
                return tasks(in: block.block + others, onlyMain: onlyMain)
            }
        }
    }

    static func names(of steps: [Step]) -> [String] { tasks(in: steps).compactMap { $0.name?.string } }

    /// Templates are rendered as far as the play's own variables go.
    private func tags(of given: Dict, _ play: Play) -> [String] {
        guard let value = given["tags"] else { return [] }
        let known = keywords.known(play)
        return (value.list ?? [value]).flatMap { item -> [String] in
            let shown = (try? project.templater.render(item, in: DictScope(known))) ?? item
            return (shown.list ?? [shown]).flatMap { $0.pythonText.split(separator: ",").map { $0.trimmed } }
        }
    }
}
