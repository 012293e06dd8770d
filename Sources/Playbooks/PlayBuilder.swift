import Modules
import Values
import Wire
import YAML

/// Where a list of tasks stands: what is handed down to it, and whose it is.
struct Surroundings {
    var inherited: Dict
    /// What the blocks around name, in the same role.
    var collections: Value?
    var role: Int?
    var basis: Int
    var isHandlers = false
    /// A `rescue` takes up what fails here.
    var isRescued = false
    /// Inside a block, or a file that an import brought: there a handler is no block.
    var isNested = false
    /// In a file that a handler includes: its tasks are handlers that nothing notifies.
    var isIncluded = false
    /// Paths of the files and roles that led here, to tell recursion.
    var chain: [String]
}

/// Expands one play: its sections, roles, handlers, and static imports.
final class PlayBuilder {
    let loader: Loader
    let play: Play
    var steps: [Step] = []
    var handlers: [Step] = []
    var roles: [RolePlan] = []
    var bases: [SearchBasis] = []
    var taskFiles: [FileRequest: TaskFile] = [:]
    var dynamicRoles: [String: RoleFile] = [:]
    var roleNames: [String] = []
    /// Roles that others depend on.
    var dependencyNames: [String] = []
    var readsHostVariables = false
    var changesInventory = false
    private var ordinal = 0
    private var handlerOrdinal = 0
    /// Files being preloaded for dynamic includes, to end recursion.
    var preloading: Set<String> = []

    init(_ loader: Loader, play: Play) {
        self.loader = loader
        self.play = play
    }

    func build(roles roleNodes: Node?, sections: [Node?], handlers handlerNode: Node?) {
        let basis = self.basis(SearchBasis(roles: [], taskFolder: play.folder, playFolder: play.folder))
        var inherited = Dict()
        for (key, value) in play.keywords where Keywords.inherited.contains(key.pythonText) { inherited[key] = value }
        let surroundings = Surroundings(inherited: inherited, role: nil, basis: basis, chain: [play.path])
        addGathering(surroundings)
        steps += tasks(sections[0], surroundings, section: "pre_tasks")
        addFlush(surroundings)
        var roleHandlers: [Step] = []
        let ofPreTasks = handlers
        handlers = []
        addRoles(roleNodes, surroundings, &roleHandlers)
        handlers += ofPreTasks
        steps += tasks(sections[1], surroundings, section: "tasks")
        addFlush(surroundings)
        steps += tasks(sections[2], surroundings, section: "post_tasks")
        addFlush(surroundings)
        var own = surroundings
        own.isHandlers = true
        // Those of roles that tasks import come last, and so are found first.
        handlers = Self.inOrder(roleHandlers + tasks(handlerNode, own, section: "handlers") + handlers)
    }

    /// Handlers numbered in the order in which they run.
    static func inOrder(_ handlers: [Step]) -> [Step] {
        var ordinal = 0
        func numbered(_ step: Step) -> Step {
            switch step {
            case .task(var task):
                ordinal += 1
                task.ordinal = ordinal
                return .task(task)
            case .block(var block):
                block.block = block.block.map(numbered)
                block.rescue = block.rescue.map(numbered)
                block.always = block.always.map(numbered)
                return .block(block)
            }
        }
        return handlers.map(numbered)
    }

    func finish(_ play: inout Play) {
        for value in [play.hosts] + play.variables.values + play.keywords.values { note(value) }
        play.steps = steps
        play.handlers = handlers
        play.roles = roles
        play.bases = bases
        play.taskFiles = taskFiles
        play.dynamicRoles = dynamicRoles
        play.readsHostVariables = readsHostVariables
        play.changesInventory = changesInventory
        play.roleNames = roleNames
        play.dependencyNames = dependencyNames
    }

    func basis(_ basis: SearchBasis) -> Int {
        if let known = bases.firstIndex(of: basis) { return known }
        bases.append(basis)
        return bases.count - 1
    }

    func nextOrdinal(_ surroundings: Surroundings) -> Int {
        if surroundings.isHandlers {
            handlerOrdinal += 1
            return handlerOrdinal
        }
        ordinal += 1
        return ordinal
    }

    private func addGathering(_ surroundings: Surroundings) {
        let wanted = play.keywords["gather_facts"]?.asBool ?? (loader.options.gathering != "explicit")
        guard wanted else { return }
        var arguments = Dict()
        for name in ["gather_subset", "gather_timeout", "fact_path"] {
            if let value = play.keywords[name] { arguments[name] = value }
        }
        var keywords = surroundings.inherited
        keywords["tags"] = .list(["always"])
        keywords["delegate_to"] = nil
        keywords["run_once"] = nil
        keywords["notify"] = nil
        steps.append(
            .task(
                TaskPlan(
                    ordinal: 0, place: play.place, name: "Gathering Facts", module: "gather_facts",
                    arguments: .dict(arguments), keywords: keywords, inherited: surroundings.inherited, role: nil,
                    basis: surroundings.basis, isImplicit: true)))
    }

    /// `meta: flush_handlers`, where a section ends.
    private func addFlush(_ surroundings: Surroundings) {
        steps.append(
            .task(
                TaskPlan(
                    ordinal: nextOrdinal(surroundings), place: play.place, name: nil, module: "meta",
                    arguments: ["_raw_params": "flush_handlers"], keywords: Dict(), inherited: Dict(), role: nil,
                    basis: surroundings.basis, isImplicit: true)))
    }

    /// Remembers what the text reads of other hosts.
    func note(_ value: Value) {
        value.forEachText { text in
            if text.string.contains("hostvars") || text.string.contains("groups") { readsHostVariables = true }
            if text.string.contains("play_hosts"), text.isTemplate { loader.warnOfPlayHosts(in: text) }
        }
    }

    // MARK: Lists of tasks

    func tasks(_ node: Node?, _ surroundings: Surroundings, section: String? = nil) -> [Step] {
        guard let node else { return [] }
        switch node.content {
        case .sequence(let items): return items.flatMap { step($0, surroundings) }
        case .scalar(.null): return []
        default:
            let shown = node.scalar.map { "\($0.pythonText) should be a list or None" } ?? "expected a list of tasks"
            let message = section.map { "A malformed block was encountered while loading \($0): \(shown)" }
            loader.report(
                node.diagnostic(
                    message ?? "a \(node.kindName) where a list of tasks was expected",
                    notes: ["begin each task with '- '"]))
            return []
        }
    }

    private func step(_ node: Node, _ surroundings: Surroundings) -> [Step] {
        guard case .mapping(let written) = node.content else {
            if case .scalar(.null) = node.content { return [] }
            loader.report(
                Diagnostic(
                    "a task is a mapping with the name of a module", at: node.place,
                    notes: ["for instance '- file: {path: /srv, state: directory}'"]))
            return []
        }
        let entries = loader.modern(written)
        if entries.contains(where: { $0.name == "block" }) { return block(entries, node, surroundings) }
        return TaskParser(self, surroundings, node, entries).steps()
    }

    private func block(_ entries: [Node.Entry], _ node: Node, _ surroundings: Surroundings) -> [Step] {
        loader.check(entries.filter { $0.name != "loop" }, allowed: Keywords.block, what: "a block")
        if let loop = entries.first(where: { $0.name == "loop" }) {
            loader.report(
                loop.key.diagnostic(
                    "a block has no loop", notes: ["put its tasks into a file and loop over 'include_tasks'"]))
        }
        if surroundings.isHandlers, surroundings.isNested {
            loader.report(
                node.diagnostic(
                    "Using a block as a handler is not supported.",
                    notes: ["give each handler the same 'listen', and notify that"]))
            return []
        }
        KeywordValues(loader: loader).check(entries, Keywords.block)
        let own = loader.keywords(entries, except: ["block", "rescue", "always", "name"])
        checkKeywords(own)
        var inner = surroundings
        inner.inherited = inheriting(own, from: surroundings.inherited)
        inner.collections = own["collections"] ?? surroundings.collections
        inner.isNested = true
        let isRescuing = !(entries.first { $0.name == "rescue" }?.value.isNull ?? true)
        func part(_ name: String) -> [Step] {
            var around = inner
            around.isRescued = surroundings.isRescued || (name == "block" && isRescuing)
            return tasks(entries.first { $0.name == name }?.value, around)
        }
        let name = entries.first { $0.name == "name" }.flatMap { loader.value($0.value) }
        let plan = BlockPlan(
            place: node.place, name: name.flatMap(asText), role: surroundings.role, block: part("block"),
            rescue: part("rescue"), always: part("always"))
        // Without rescue and always, a block is only what it hands down.
        return plan.rescue.isEmpty && plan.always.isEmpty ? plan.block : [.block(plan)]
    }

    func asText(_ value: Value) -> Text {
        if case .string(let text) = value { text } else { Text(value.pythonText) }
    }

    /// Templates and conditions in keywords.
    func checkKeywords(_ keywords: Dict) {
        for (key, value) in keywords {
            note(value)
            if key.text == "vars" {
                loader.checkVariables(value.dict ?? Dict())
                continue
            }
            loader.checkTemplates(in: value, isCondition: Keywords.conditions.contains(key.pythonText))
        }
    }

    // MARK: Files of tasks

    /// The steps of a file that an import or an include names.
    func fileSteps(_ path: String, _ surroundings: Surroundings, from place: Place?) -> [Step] {
        if surroundings.chain.contains(path) {
            loader.report(
                Diagnostic(
                    "'\(loader.files.shown(path))' imports itself", at: place,
                    notes: [
                        "by way of " + surroundings.chain.map(loader.files.shown).joined(separator: " > "),
                        "a file may include itself with 'include_tasks' and a condition that ends it",
                    ]))
            return []
        }
        loader.inclusions.note(loader.files.shown(path), namedAt: place)
        guard let node = loader.document(path, what: "file of tasks", from: place) else { return [] }
        var inner = surroundings
        inner.chain.append(path)
        let around = bases[surroundings.basis]
        inner.basis = basis(
            SearchBasis(roles: around.roles, taskFolder: folder(of: path), playFolder: around.playFolder))
        return tasks(node, inner)
    }

    /// Where a named file is; `nil` after saying where it was looked for.
    func find(
        _ name: String, _ kind: FileRequest.Kind, _ surroundings: Surroundings
    ) -> (path: String?, searched: [String]) {
        let around = bases[surroundings.basis]
        let candidates = loader.files.candidates(
            for: SearchRequest(
                kind: kind.rawValue, name: name, roles: around.roles, taskFolder: around.taskFolder,
                playFolder: around.playFolder, home: loader.options.home))
        return (candidates.first { loader.files.kind(of: $0) != nil }, candidates)
    }
}
