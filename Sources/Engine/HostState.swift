package import Values

/// What is known of the host beyond its plan; lives as long as the run, across plays.
package struct HostState: Sendable {
    /// Facts by the names that modules give them, most of which begin with `ansible_`.
    package private(set) var facts = Dict()
    /// `ansible_facts`.
    package private(set) var namedFacts = Dict()
    /// `set_fact` and registered results (level 19).
    package var assigned = Dict()
    /// `include_vars` (level 18).
    package var included = Dict()
    package init() {}

    /// Takes in facts as a module returns them.
    package mutating func learn(_ new: Dict) {
        facts.merge(new) { $1 }
        namedFacts.merge(named(facts: new)) { $1 }
    }

    /// `meta: clear_facts`
    package mutating func forgetFacts() {
        facts = Dict()
        namedFacts = Dict()
    }

    /// Whether facts were gathered, by this run or the one that the cache was filled by.
    var hasGathered: Bool { facts[gatheredMark]?.isTrue ?? false }
}

/// What says, among a host's facts, that they were gathered: Ansible's name for it.
let gatheredMark = "_ansible_facts_gathered"

/// Facts as `ansible_facts` has them: `ansible_x` becomes `x`; other names are kept.
package func named(facts: Dict) -> Dict {
    var named = Dict(minimumCapacity: facts.count)
    for (key, value) in facts {
        let name = key.pythonText
        named[name.hasPrefix("ansible_") && name != "ansible_local" ? String(name.dropFirst(8)) : name] = value
    }
    return named
}
