import Hosts
import Playbooks
import Synchronization
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

    func text(hosts: Bool, tasks: Bool, tags: Bool) throws -> String {
        var lines: [String] = []
        for (index, play) in plays.enumerated() {
            let pattern = play.hosts.list.map { "[" + $0.map { "'\($0.pythonText)'" }.joined(separator: ", ") + "]" }
                ?? play.hosts.pythonText
            let own = Self.tags(of: play.keywords)
            lines.append("\n  play #\(index + 1) (\(pattern)): \(play.name)\tTAGS: [\(own.joined(separator: ","))]")
            if hosts {
                let text = play.hosts.list.map { $0.map(\.pythonText).joined(separator: ",") } ?? pattern
                let selected = try project.inventory.select(text, limit: project.limit).hosts
                lines.append("    pattern: \(play.hosts.list == nil ? "['\(pattern)']" : pattern)")
                lines.append("    hosts (\(selected.count)):")
                lines += selected.map { "      \($0)" }
            }
            if tasks {
                lines.append("    tasks:")
                for task in selected(play.steps) {
                    let role = task.role.map { play.roles[$0].name + " : " } ?? ""
                    let name = task.name?.string ?? task.module
                    let tags = Self.tags(of: task.keywords).sorted().joined(separator: ", ")
                    lines.append("      \(role)\(name)\tTAGS: [\(tags)]")
                }
            }
            if tags {
                let all = Set(selected(play.steps).flatMap { Self.tags(of: $0.keywords) })
                lines.append("      TASK TAGS: [\(all.sorted().joined(separator: ", "))]")
            }
        }
        return lines.joined(separator: "\n")
    }

    private func selected(_ steps: [Step]) -> [TaskPlan] {
        Self.tasks(in: steps).filter { task in
            !task.isImplicit
                && isSelected(tags: Set(Self.tags(of: task.keywords)), run: settings.tags, skip: settings.skipTags)
        }
    }

    static func tasks(in steps: [Step]) -> [TaskPlan] {
        steps.flatMap { step -> [TaskPlan] in
            switch step {
            case .task(let task): [task]
            case .block(let block): tasks(in: block.block + block.rescue + block.always)
            }
        }
    }

    static func names(of steps: [Step]) -> [String] { tasks(in: steps).compactMap { $0.name?.string } }

    private static func tags(of keywords: Dict) -> [String] {
        guard let value = keywords["tags"] else { return [] }
        return (value.list ?? [value]).flatMap { $0.pythonText.split(separator: ",").map { $0.trimmingBlanks } }
    }
}
