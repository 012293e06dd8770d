package import Values
package import Wire

/// What a play says about the order and the limits of its run; its templates rendered.
package struct PlayOutline: Sendable {
    package var name: String
    package var place: Place?
    /// `serial`, `order`, `strategy`, `check_mode`, `any_errors_fatal`, `max_fail_percentage`.
    package var keywords: Dict
    package init(name: String, place: Place?, keywords: Dict = Dict()) {
        self.name = name
        self.place = place
        self.keywords = keywords
    }

    var checkMode: Bool? { keywords["check_mode"]?.asBool }
    /// Nobody waits for anybody.
    package var isFree: Bool { strategy.isFree }
    /// A person is asked about what failed.
    package var isDebugging: Bool { strategy == .debug }
    var anyErrorsFatal: Bool { keywords["any_errors_fatal"]?.asBool ?? false }
    var maxFailPercentage: Double? {
        guard let value = keywords["max_fail_percentage"], !value.isNull else { return nil }
        return value.number ?? Double(value.pythonText.filter { $0 != "%" })
    }
    private var strategy: Strategy { keywords["strategy"].flatMap { Strategy(named: $0.pythonText) } ?? .linear }
}

/// What became known of a host during the run.
package struct HostKnowledge: Sendable {
    package var facts = Dict()
    /// `set_fact`, registered results, `include_vars`.
    package var assigned = Dict()
    /// Facts that another host's task gave it (`delegate_facts`).
    package var delegated = Dict()
    package init() {}
}

extension RunSource {
    /// A source that keeps nothing.
    package func keep(_ file: FetchedFile, of host: String, play: Int) async throws(Diagnostics) -> CallResult {
        throw Diagnostics([Diagnostic("there is nowhere to keep '\(file.source)'")])
    }
}

/// Where a run gets everything from: playbooks, inventory and files. Plays are called by their number.
package protocol RunSource: Sendable {
    var playCount: Int { get async }
    /// Gives it a way to what becomes known of hosts: what plays themselves say may read that.
    func take(knowledge: @escaping @Sendable (String) -> HostKnowledge) async
    func outline(of play: Int) async throws(Diagnostics) -> PlayOutline
    /// The hosts that the play's pattern selects, within `--limit`, in the inventory's order.
    func hosts(of play: Int) async throws(Diagnostics) -> [String]
    /// - Parameters:
    ///   - batch: the hosts that run it now.
    ///   - hosts: all hosts of the play that have not failed.
    func plan(
        play: Int, host: String, batch: [String], hosts: [String], known: HostKnowledge
    ) async throws(Diagnostics) -> PlayPlan
    /// - Parameter variables: what a task says about its delegate.
    func connection(to host: String, play: Int, variables: Dict) async throws(Diagnostics) -> ConnectionSettings
    /// What the inventory says of a host as it is now, not rendered.
    func inventory(of host: String) async throws(Diagnostics) -> Dict
    /// A variable of a host as others see it in `hostvars`; `nil` as a name gives all of them.
    func variable(
        _ name: String?, of host: String, play: Int, known: HostKnowledge
    ) async throws(Diagnostics) -> Value?

    func file(_ request: FileRequest) async throws(Diagnostics) -> (entry: FileEntry?, searched: [String])
    func contents(digest: String, path: String) async throws(Diagnostics) -> [UInt8]
    /// What runs the module in this file, and the contents of its parts.
    func module(_ path: String, play: Int) async throws(Diagnostics) -> ForeignModule
    /// Puts a file of a host among those of the controller.
    func keep(_ file: FetchedFile, of host: String, play: Int) async throws(Diagnostics) -> CallResult
    func parts(_ digests: [String]) async throws(Diagnostics) -> [ModuleContents]
    /// Applies a filter or a test in Python.
    func plugin(
        _ kind: String, _ name: String, _ arguments: [Value], _ named: Dict
    ) async throws(Diagnostics) -> Value
    /// Goes on with an action or lookup plugin in Python: what it asks next, or what it came to.
    func converse(_ step: Value, play: Int) async throws(Diagnostics) -> Value
    func tasks(_ request: FileRequest, play: Int) async throws(Diagnostics) -> TaskFile
    func role(_ request: RoleRequest, play: Int) async throws(Diagnostics) -> RoleFile
    func lookup(
        _ plugin: String, _ terms: [Value], _ options: Dict, _ basis: SearchBasis
    ) async throws(Diagnostics) -> [Value]

    func addHost(_ name: String, groups: [String], variables: Dict) async
    func addGroup(_ name: String, parents: [String], host: String) async
    func refreshInventory() async throws(Diagnostics)

    /// Everything that is known of a host by now, for runs to come.
    func keep(facts: Dict, of host: String) async
    func forgetFacts(of host: String) async
}

extension RunSource {
    package func take(knowledge: @escaping @Sendable (String) -> HostKnowledge) async {}
    package func keep(facts: Dict, of host: String) async {}
    package func forgetFacts(of host: String) async {}
}

/// Talks to the person at the terminal.
package protocol Prompter: Sendable {
    /// Shows the prompt and waits for a line, or for so many seconds.
    func pause(_ prompt: String, seconds: Double?, echo: Bool) async -> (input: String, isInterrupted: Bool)
    /// Shows the text and the prompt, and waits for a line; `nil` at the end of the input.
    ///
    /// - Parameter isOver: asked again and again; nobody waits for an answer any more.
    func line(
        _ prompt: String, showing text: String, until isOver: @Sendable () -> Bool
    ) async -> (line: String?, isInterrupted: Bool)
    func show(_ text: String)
}

/// What a run is told on the command line and in `ansible.cfg`.
package struct RunOptions: Sendable {
    /// At most so many hosts log in, and change something, at the same time; 0 is no limit.
    package var forks = 0
    package var verbosity = 0
    /// A person is asked before each task.
    package var step = false
    package init() {}
}
