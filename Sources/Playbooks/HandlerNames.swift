import Values
import Wire

/// Whether every handler that a play's tasks notify is there. Where names hang on the host, that is left to the run.
struct HandlerNames {
    private var names: Set<String> = []
    /// Some handlers, or their names, are only known on the host.
    private var isOpen = false
    private var notified: [(name: String, place: Place)] = []
    /// What a task behind a condition notifies is left to the run.
    private let leavesConditional: Bool

    init(_ play: Play, leavesConditional: Bool) {
        self.leavesConditional = leavesConditional
        add(handlers: play.handlers, play.roles)
        visit(play.steps + play.handlers, play)
        for file in play.taskFiles.values { visit(file.steps, play) }
        for role in play.dynamicRoles.values {
            add(handlers: role.handlers, role.roles)
            visit(role.steps + role.handlers, play)
        }
    }

    /// An error for each name that no handler has or listens to.
    var missing: [Diagnostic] {
        if isOpen { return [] }
        return notified.filter { !names.contains($0.name) }.map { name, place in
            Diagnostic(
                missingHandler(name), at: place, length: name.count,
                hint: suggestion(for: name, among: names.sorted()))
        }
    }

    private mutating func add(handlers: [Step], _ roles: [RolePlan]) {
        for handler in Self.tasks(in: handlers) {
            if ["include_tasks", "include_role", "include"].contains(handler.module) { isOpen = true }
            var own: [String] = []
            if let name = handler.name {
                if name.isTemplate { isOpen = true }
                own.append(name.string)
                if let role = handler.role, roles.indices.contains(role) {
                    own += qualified(name.string, in: roles[role].name)
                }
            }
            for text in Self.texts(handler.keywords["listen"]) {
                own += [text.string] + Self.parts(text)
                if let role = handler.role, roles.indices.contains(role) {
                    own += qualified(text.string, in: roles[role].name)
                }
            }
            names.formUnion(own)
        }
    }

    private mutating func visit(_ steps: [Step], _ play: Play) {
        for task in Self.tasks(in: steps) {
            let named = task.arguments["_raw_params"] ?? task.arguments["file"] ?? task.arguments["name"]
                ?? task.arguments["role"]
            switch task.module {
            case "include_tasks", "include_role", "include":
                if named?.string.map(\.isTemplate) ?? true { isOpen = true }
            default: break
            }
            if leavesConditional, task.keywords["when"] != nil { continue }
            let isList = task.keywords["notify"]?.list != nil
            for text in Self.texts(task.keywords["notify"]) where !text.isTemplate {
                for name in isList || names.contains(text.string) ? [text.string] : Self.parts(text) {
                    notified.append((name, text.place ?? task.place))
                }
            }
        }
    }

    private static func texts(_ value: Value?) -> [Text] {
        (value?.list ?? value.map { [$0] } ?? []).compactMap(\.string)
    }

    private static func parts(_ text: Text) -> [String] {
        text.string.split(separator: ",").map { part in
            String(part.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
        }
    }

    private static func tasks(in steps: [Step]) -> [TaskPlan] {
        steps.flatMap { step -> [TaskPlan] in
            switch step {
            case .task(let task): [task]
            case .block(let block): tasks(in: block.block + block.rescue + block.always)
            }
        }
    }
}

extension Value {
    fileprivate var string: Text? { if case .string(let text) = self { text } else { nil } }
}
