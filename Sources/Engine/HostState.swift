package import Values

/// What is known of the host beyond its plan; lives as long as the run, across plays.
package struct HostState: Sendable {
    /// `ansible_facts`: names without the `ansible_` prefix.
    package var facts = Dict()
    /// `set_fact` and registered results (level 19).
    package var assigned = Dict()
    /// `include_vars` (level 18).
    package var included = Dict()
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
