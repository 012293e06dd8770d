import Machine
import Patterns
import Values

/// `setup`: what the node is, read from the kernel's and the system's files.
struct GatherFacts: Action {
    var gatherSubset = ["all"]
    var gatherTimeout = 10
    var filter: [String] = []
    var factPath = "/etc/ansible/facts.d"
    var parallel: Bool?
    init() {}

    static let schema = Schema<GatherFacts>(
        "setup", "Gathers facts about the node.",
        [
            Parameter(
                "gather_subset", \.gatherSubset, default: "all",
                "Families of facts to gather: all, min, hardware, network, virtual, …; '!' in front leaves one out."),
            Parameter(
                "gather_timeout", \.gatherTimeout, default: "10", "Seconds for each program that has to be asked."),
            Parameter("filter", \.filter, "Globs: only facts whose name matches one are returned."),
            Parameter("parallel", \.parallel, "Of no effect: facts are not gathered by several modules here."),
            Parameter(
                "fact_path", \.factPath, default: "/etc/ansible/facts.d",
                "Folder with local facts: files *.fact with JSON or INI text, or programs that print it."),
        ],
        options: SchemaOptions(
            returns: [("ansible_facts", "The facts, each with 'ansible_' before its name.")],
            examples: """
                - name: Only what hardware and network say
                  ansible.builtin.setup:
                    gather_subset: ["!all", "!min", hardware, network]

                - name: One fact
                  ansible.builtin.setup:
                    filter: ansible_default_ipv4
                """,
            notes: [
                "Nothing is started for what /proc, /sys and /etc tell.",
                "The node needs no Python; where there is one, ansible_python tells of it.",
            ], onlyReads: true))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        let families = try FactFamily.selected(by: gatherSubset)
        let path = try attempt { () throws(MachineError) in try machine.expanded(factPath, context.environment) }
        var source = FactSource(
            machine: machine, context: context, options: FactOptions(factPath: path, gatherTimeout: gatherTimeout))
        var facts = Dict()
        for family in families {
            for (name, value) in family.collect(&source) {
                facts["ansible_" + name.pythonText.replacingColons] = value
            }
        }
        facts["gather_subset"] = .strings(gatherSubset)
        facts["module_setup"] = true
        let kept = try filtered(facts)
        return Outcome(["ansible_facts": .dict(kept)], facts: kept, warnings: source.warnings)
    }

    private func filtered(_ facts: Dict) throws(Failure) -> Dict {
        let globs = filter.filter { !$0.isEmpty && $0 != "*" }
        if globs.isEmpty { return facts }
        var patterns: [Pattern] = []
        for glob in globs {
            do throws(PatternError) {
                patterns.append(try Pattern(glob: glob))
                if !glob.hasPrefix("ansible_") { patterns.append(try Pattern(glob: "ansible_" + glob)) }
            } catch { throw Failure("filter '\(glob)' is not a glob: \(error)") }
        }
        return facts.filter { fact in
            patterns.contains { (try? $0.matchesWhole(fact.key.pythonText)) == true }
        }
    }
}

extension String {
    /// Names of facts have no colon (`eth0:1`) and no dash: both become underscores.
    var replacingColons: String { String(map { $0 == ":" || $0 == "-" ? "_" : $0 }) }
}
