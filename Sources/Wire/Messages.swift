package import Values

/// The version of everything in this target. Both ends must have the same; the controller uploads the agent it needs.
package let wireVersion = 7

/// Where a task stands in the run, the same on every host: play, section and ordinals down through includes and items.
/// Ordered lexicographically, the order in which Ansible's `linear` would come to it.
package struct Position: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var parts: [Int]
    package init(_ parts: [Int]) { self.parts = parts }
    package static func < (left: Position, right: Position) -> Bool {
        left.parts.lexicographicallyPrecedes(right.parts)
    }
    package func adding(_ part: Int) -> Position { Position(parts + [part]) }
    package var description: String { parts.map(String.init).joined(separator: ".") }
}

/// How a task, or one item of its loop, ended on a host.
package enum Status: String, Sendable, Hashable, CaseIterable {
    case ok, changed, skipped, failed, ignored, unreachable, rescued
}

/// What identifies a task to a person.
package struct TaskInfo: Sendable, Hashable {
    /// Rendered; `role : name` where it is in a role.
    package var name: String
    package var module: String
    package var place: Place?
    package var isHandler: Bool
    package var isImplicit: Bool
    package var tags: [String]
    /// It changes nothing and says what it would.
    package var isCheck: Bool
    package init(
        name: String, module: String, place: Place?, isHandler: Bool = false, isImplicit: Bool = false,
        tags: [String] = [], isCheck: Bool = false
    ) {
        self.name = name
        self.module = module
        self.place = place
        self.isHandler = isHandler
        self.isImplicit = isImplicit
        self.tags = tags
        self.isCheck = isCheck
    }
}

/// What a run tells, in the order in which it happened on the host.
package enum Event: Sendable {
    /// A task begins to change something or to wait: for the live line.
    case started(Position, TaskInfo)
    /// One item of a loop.
    case item(Position, TaskInfo, TaskResult)
    /// The task's end; for a loop, behind its items.
    case result(Position, TaskInfo, TaskResult)
    /// The task did not come to what `until` asks for, and is tried again so many times at most.
    case retry(Position, TaskInfo, left: Int)
    /// The task runs on by itself, and has not ended yet.
    case polled(Position, TaskInfo, job: String)
    /// A dynamic include was opened: `included: PATH for HOST`.
    case included(Position, TaskInfo, path: String, label: String)
    /// Passed without anything to show (a skipped include, a `noop`): moves the order on.
    case passed(Position, TaskInfo)
    /// Facts, `set_fact` and registered results that other hosts may read.
    case variables(Dict, facts: Dict)
    case notified(handler: String, Position)
    case message(Diagnostic)
    /// `add_host`, `group_by`: the coordinator changes the inventory.
    case addHost(name: String, groups: [String], variables: Dict)
    case groupBy(group: String, parents: [String])
    /// `set_stats`.
    case stats(Dict, perHost: Bool, aggregate: Bool)
    /// The result that the task told last does not count, whatever it was: the task is done again.
    case redone(Position, [Status])
}

/// A result with what the display needs to know about it.
package struct TaskResult: Sendable {
    package var status: Status
    package var result: Dict
    /// Diff parts (`before`, `after`, headers), already without secrets.
    package var diff: [Value]
    /// Loop item as it is labelled.
    package var label: String?
    /// Nothing of the result may be shown.
    package var isHidden: Bool
    /// Where a failure's cause is, when it is in the playbook or a template.
    package var diagnostic: Diagnostic?
    package var warnings: [String]
    /// The failure ends the play for everyone.
    package var isFatalToAll: Bool
    /// Delegated to this host.
    package var delegate: String?
    /// What a loop came to, whose items have told of themselves. (A module may have `results` of its own.)
    package var isLoop: Bool
    package init(
        status: Status, result: Dict, diff: [Value] = [], label: String? = nil, isHidden: Bool = false,
        diagnostic: Diagnostic? = nil, warnings: [String] = [], isFatalToAll: Bool = false, delegate: String? = nil,
        isLoop: Bool = false
    ) {
        self.status = status
        self.result = result
        self.diff = diff
        self.label = label
        self.isHidden = isHidden
        self.diagnostic = diagnostic
        self.warnings = warnings
        self.isFatalToAll = isFatalToAll
        self.delegate = delegate
        self.isLoop = isLoop
    }
}

/// How a module is run: by this host's engine, under another user, or for another host.
package struct ModuleCall: Sendable {
    package var module: String
    package var arguments: Dict
    package var checkMode: Bool
    package var diffMode: Bool
    package var environment: Dict
    package var verbosity: Int
    package var become: Become?
    package var isHidden: Bool
    /// Seconds; 0 is no limit.
    package var timeout: Double
    /// Where the controller looks for files that the module asks for.
    package var basis: SearchBasis
    /// Files known ahead, templates already rendered with the variables of the host that the task belongs to.
    package var files: [PreparedFile]
    /// For a module that is not built in.
    package var foreign: ForeignCall?
    /// The Python that the host's variables name; empty: what is found there.
    package var python = ""
    /// The module is not waited for.
    package var job: Job?
    package init(
        module: String, arguments: Dict, checkMode: Bool, diffMode: Bool, environment: Dict, verbosity: Int,
        become: Become?, isHidden: Bool, timeout: Double = 0, basis: SearchBasis, files: [PreparedFile] = []
    ) {
        self.basis = basis
        self.files = files
        self.module = module
        self.arguments = arguments
        self.checkMode = checkMode
        self.diffMode = diffMode
        self.environment = environment
        self.verbosity = verbosity
        self.become = become
        self.isHidden = isHidden
        self.timeout = timeout
    }
}

/// A module that runs on by itself, with `async`: what is kept about it is a file of this name in that folder.
package struct Job: Sendable, Hashable {
    package var id: String
    /// After so many seconds it is ended.
    package var seconds: Double
    package var folder: String
    package init(id: String, seconds: Double, folder: String) {
        self.id = id
        self.seconds = seconds
        self.folder = folder
    }
}

/// A controller file under the name that a task gives it.
package struct PreparedFile: Sendable, Hashable {
    package var name: String
    package var entry: FileEntry
    /// The rendered template; `nil` for a plain file.
    package var rendered: Text?
    package init(name: String, entry: FileEntry, rendered: Text? = nil) {
        self.name = name
        self.entry = entry
        self.rendered = rendered
    }
}

/// Privilege escalation for one call.
package struct Become: Sendable, Hashable {
    package var method: String
    package var user: String
    package var flags: String
    package var executable: String
    package var password: Secret?
    /// Where the method is started; empty is anywhere.
    package var folder = ""
    /// What asks for the password, where that is not the method's usual question.
    package var prompts: [String] = []
    /// Seconds until it must have asked or succeeded; 0 leaves it to the agent.
    package var patience = 0.0

    package init(method: String, user: String, flags: String, executable: String, password: Secret?) {
        self.method = method
        self.user = user
        self.flags = flags
        self.executable = executable
        self.password = password
    }
}

/// What a module call came to.
package struct CallResult: Sendable {
    package var result: Dict
    package var diff: [Value]
    package var warnings: [String]
    package var isStop: Bool
    package init(result: Dict, diff: [Value] = [], warnings: [String] = [], isStop: Bool = false) {
        self.result = result
        self.diff = diff
        self.warnings = warnings
        self.isStop = isStop
    }
}

/// What an engine asks its coordinator. Each is answered once, in order.
package enum Question: Sendable {
    /// This host wants to change something at this position, at most so many hosts at once; 0 is no limit.
    case turn(Position, TaskInfo, throttle: Int)
    /// A `run_once` task: who runs it?
    case once(Position, TaskInfo)
    /// The result of a `run_once` task, for the others.
    case onceDone(Position, TaskResult, variables: Dict, facts: Dict)
    case file(FileRequest)
    /// Content by digest.
    case contents(digest: String, path: String)
    case tasks(FileRequest)
    case role(RoleRequest)
    /// A variable of another host (`nil` name: all of them), after what comes before this position.
    case hostVariable(host: String, name: String?, Position)
    case lookup(plugin: String, terms: [Value], options: Dict, SearchBasis)
    case delegate(host: String, ModuleCall, variables: Dict, Position, throttle: Int)
    /// Facts for another host; `isAssigned`: they are variables, as `set_fact` sets them.
    case delegateFacts(host: String, Dict, isAssigned: Bool)
    case pause(prompt: String, seconds: Double?, echo: Bool, Position)
    /// Shows a text and a prompt, and asks for a line, which at the end of the input is `EOF`. Nobody else is asked
    /// until this host is `debugged`.
    case line(showing: String, prompt: String, Position)
    /// Whoever was asked is through with the task, or ends the run.
    case debugged(showing: String, ends: Bool)
    /// Whether the task is done at all: answered with a boolean.
    case step(Position, TaskInfo)
    case meta(String, Position)
    /// A task that `any_errors_fatal` holds for ended here, inside of what rescues: answered with the host that failed
    /// in it, once every host is through.
    case verdict(Position, failed: Bool)
    /// This host is out of the play, unless another one meets `meta: clear_host_errors` here: answered with a boolean.
    case revival(Position, isUnreachable: Bool)
    /// What other hosts' tasks brought at this position and below, where this host took no part (`run_once`), or for
    /// it (`delegate_facts`): answered like `once`.
    case brought(within: Position)
    /// What runs a module that is not built in; the path is that of its file on the controller.
    case module(path: String)
    /// Contents of a module's parts, by digest.
    case parts([String])
    /// Applies a `filter` or a `test` that is written in Python; the first argument is the value.
    case plugin(kind: String, name: String, arguments: [Value], named: Dict)
    /// Puts a file of the node among those of the controller: answered with a result.
    case keep(FetchedFile)
    /// One step of an action or lookup plugin in Python: its start (`begin`), or the answer to what it asked.
    case converse(Value)
}

/// A file on its way from a node to the controller.
package struct FetchedFile: Sendable {
    /// Its path on the node.
    package var source: String
    /// Where it goes, as the task says it.
    package var destination: String
    /// It goes there itself, not into a folder of its host.
    package var isFlat: Bool
    package var contents: [UInt8]
    package init(source: String, destination: String, isFlat: Bool, contents: [UInt8]) {
        self.source = source
        self.destination = destination
        self.isFlat = isFlat
        self.contents = contents
    }
}

package enum Answer: Sendable {
    case proceed
    /// The play ends here for this host (`any_errors_fatal`, `max_fail_percentage`, Ctrl-C).
    case stop(reason: String)
    /// Another host ran it: its result, and what it registered.
    case once(TaskResult, variables: Dict, facts: Dict)
    case file(FileEntry?, searched: [String])
    case contents([UInt8])
    case tasks(TaskFile)
    case role(RoleFile)
    case value(Value?)
    case values([Value])
    case call(CallResult)
    case input(String, interrupted: Bool)
    case failure(Diagnostic)
    case module(ForeignModule)
    case parts([ModuleContents])
    /// What a plugin asks next, or what it came to (`result`, `error`).
    case asked(Value)
}

/// Controller to agent.
package enum Order: Sendable {
    /// First: the version, and what the process is for.
    case begin(version: Int, verbosity: Int)
    case play(PlayPlan)
    /// Run one module (delegation, `become` children).
    case call(ModuleCall)
    case answer(Answer)
    /// End after the task in hand.
    case finish
    /// End now; children are ended.
    case abort
}

/// Agent to controller.
package enum Report: Sendable {
    case ready(version: Int, user: String, host: String)
    case events([Event])
    case question(Question)
    case played(PlayEnd)
    case called(CallResult)
    /// The agent cannot go on; it ends.
    case broken(String)
}

/// How a play ended on a host.
package struct PlayEnd: Sendable {
    package enum Outcome: String, Sendable { case completed, failed, unreachable, stopped, ended }
    package var outcome: Outcome
    /// The whole run ends for this host (`end_host`), or for all (`end_play`, `end_batch`).
    package var ends: String?
    package var pendingHandlers: [String]
    package init(_ outcome: Outcome, ends: String? = nil, pendingHandlers: [String] = []) {
        self.outcome = outcome
        self.ends = ends
        self.pendingHandlers = pendingHandlers
    }
}
