import Modules
package import Values
package import Wire

/// The modules that gather a host's facts, where they are files: known from what variables and settings name.
///
/// On the host the names are read again, as they are when facts are gathered; what is named nowhere in writing is
/// not found then.
package struct FactsModules {
    /// Their files, by the names that they are called by.
    package private(set) var paths = Dict()

    package init(_ plan: PlayPlan, files: any ProjectFiles, content: ContentPaths, playFolder: String) {
        var names = Set(Self.names(plan.magic["_facts_default"]))
        for layer in Self.layers(plan) {
            names.formUnion(Self.names(layer["ansible_facts_modules"]))
            if let system = layer["ansible_network_os"]?.text, let module = networkFacts(for: system) {
                names.insert(module)
            }
        }
        let roles = plan.bases.flatMap(\.roles)
        for name in names.sorted() where name != "smart" && Registry.shortName(name) != "setup" {
            let found = ForeignModules.file(
                of: name, files: files, paths: content, roles: roles, playFolder: playFolder)
            if let found { paths[name] = .string(found.path) }
        }
    }

    private static func names(_ value: Value?) -> [String] {
        let parts = value?.list?.compactMap(\.text) ?? value?.text?.split(separator: ",").map(String.init) ?? []
        return parts.map(\.trimmed).filter { !$0.isEmpty && !$0.contains("{") }
    }

    /// Every place that variables come from.
    private static func layers(_ plan: PlayPlan) -> [Dict] {
        var layers = [plan.extra, plan.variables, plan.inventory]
        for role in plan.roles { layers += [role.parameters, role.variables, role.defaults] }
        func add(_ steps: [Step]) {
            for step in steps {
                switch step {
                case .task(let task) where task.module == "gather_facts":
                    layers.append(task.keywords["vars"]?.dict ?? Dict())
                case .task: break
                case .block(let block):
                    for part in [block.block, block.rescue, block.always] { add(part) }
                }
            }
        }
        add(plan.steps)
        add(plan.handlers)
        for file in plan.taskFiles.values { add(file.steps) }
        for role in plan.dynamicRoles.values { add(role.steps) }
        return layers
    }
}
