package import Values

/// What is known of the host beyond its plan; lives as long as the run, across plays.
package struct HostState: Sendable {
    /// `ansible_facts`: names without the `ansible_` prefix.
    package var facts = Dict()
    /// `set_fact` and registered results (level 19).
    package var assigned = Dict()
    /// `include_vars` (level 18).
    package var included = Dict()
    /// Names of handlers that were notified and have not run, in the order of notification.
    package var pending: [String] = []

    package init() {}

    /// Takes in facts as a module returns them: `ansible_x` becomes `x`; other names are kept.
    package mutating func learn(_ new: Dict) {
        for (key, value) in new {
            let name = key.pythonText
            let short = name.hasPrefix("ansible_") && name != "ansible_local" ? String(name.dropFirst(8)) : name
            facts[short == "ansible_local" ? "local" : short] = value
        }
    }
}

/// What belongs to one play and not to the next.
struct PlayState {
    /// A failure that a `rescue` is handling.
    var failedTask: Value?
    var failedResult: Value?
    /// Roles that have run, for `role_path` and their public variables.
    var dynamicRoles: [Int] = []
    var failedBefore = false
}
