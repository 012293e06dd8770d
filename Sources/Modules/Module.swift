package import Machine
package import Values

/// What every module is made from: a schema, and a value that its parameters are decoded into.
package protocol Module: Sendable {
    static var schema: Schema<Self> { get }
    init()
}

/// A module that manages state: read, compare, change, read again.
package protocol Resource: Module {
    associatedtype State: ResourceState
    /// The state on the machine now; `nil` when the thing does not exist.
    func current(on machine: some MachineReader, _ context: Context) throws(Failure) -> State?
    /// The wanted state. What the user left open keeps its current value.
    func desired(given current: State?, on machine: some MachineReader, _ context: Context) throws(Failure) -> State?
    /// Makes the change. Called only when the two differ, never in check mode.
    func change(
        _ current: State?, to desired: State?, on machine: some MachineEditor, _ context: Context) throws(Failure)
    /// The keys that Ansible's module of the same name returns, beside `changed` and `diff`.
    func report(from before: State?, to after: State?, on machine: some MachineReader) throws(Failure) -> Dict
    /// What changes, for `--diff`. The default compares field by field.
    func diff(from before: State?, to after: State?) -> [Diff]
}

/// A state is complete: it has a value for every field, whatever the user left open.
package protocol ResourceState: Equatable, Sendable {
    /// The fields by name, for diffs and for telling what did not converge.
    var fields: Dict { get }
}

/// A module that does something (runs a command, asks a server, waits).
package protocol Action: Module {
    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome
}

/// A module that the engine itself performs, because it acts on the play and not on the machine
/// (`set_fact`, `include_tasks`, `meta`): only its schema lives here.
package protocol Directive: Module {}

extension Courier {
    func file(_ name: String, kind: ControllerFile.Kind) throws(Failure) -> ControllerFile {
        try file(name, kind: kind, isSealed: false)
    }
}

/// The files that the controller sends along are asked for by name; where they come from is the engine's business.
package protocol Courier {
    /// A file of the controller: the digest first, so that equal content never travels.
    ///
    /// - Parameter isSealed: what is in a vault stays in it.
    func file(_ name: String, kind: ControllerFile.Kind, isSealed: Bool) throws(Failure) -> ControllerFile
    /// Its content.
    func contents(of file: ControllerFile) throws(Failure) -> [UInt8]
    /// A template file of the controller, rendered for this host.
    func rendered(_ name: String, options: Dict) throws(Failure) -> (text: String, source: ControllerFile)
    /// Waits until every other host has finished what comes before this task (linear order).
    func willChange() throws(Failure)
}

package struct ControllerFile: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable { case file, template }
    /// The path on the controller.
    package var path: String
    /// SHA-256 in hex; empty for a folder.
    package var digest: String
    package var size: Int
    package var mode: UInt32
    /// For a folder: all that is below it at any depth, paths relative to it, sorted; `nil` for a file. Links are
    /// followed; folders among the children have an empty list.
    package var children: [ControllerFile]?
    /// Where it points, as written, when the path itself is a link; the rest tells of what it points to.
    package var target: String?
    package init(
        path: String, digest: String, size: Int, mode: UInt32, children: [ControllerFile]? = nil, target: String? = nil
    ) {
        self.path = path
        self.digest = digest
        self.size = size
        self.mode = mode
        self.children = children
        self.target = target
    }
}

/// What a module may know and ask beside its parameters.
package struct Context {
    package var checkMode: Bool
    package var diffMode: Bool
    /// From the task's `environment:`.
    package var environment: [String: String]
    package var verbosity: Int
    package var courier: any Courier
    /// Seconds that the task's commands may take.
    package var timeout: Double?
    /// The Python that the host's variables name.
    package var python: String?
    private let machine: any MachineEditor

    package init(
        machine: any MachineEditor, courier: any Courier, checkMode: Bool = false, diffMode: Bool = false,
        environment: [String: String] = [:], verbosity: Int = 0
    ) {
        self.machine = machine
        self.courier = courier
        self.checkMode = checkMode
        self.diffMode = diffMode
        self.environment = environment
        self.verbosity = verbosity
    }

    /// The machine to change, after waiting for this task's turn; `nil` in check mode, where nothing may be changed.
    package func editor() throws(Failure) -> (any MachineEditor)? {
        if checkMode { return nil }
        try courier.willChange()
        return machine
    }
}

/// A task that cannot be done: one line that says why, and the keys that its result carries.
package struct Failure: Error, Sendable {
    package var message: String
    /// What the result has beside `msg` and `failed`: `rc`, `stdout`, …
    package var result: Dict
    /// The run is being stopped: not the task's fault.
    package var isStop: Bool
    /// The machine or the way to it is gone: unreachable rather than failed.
    package var isUnreachable: Bool
    package var warnings: [String] = []

    package init(_ message: String, result: Dict = Dict(), isStop: Bool = false, isUnreachable: Bool = false) {
        self.message = message
        self.result = result
        self.isStop = isStop
        self.isUnreachable = isUnreachable
    }
    package init(_ error: MachineError) { self.init(error.message, isStop: error.isStop) }
}

/// Before and after, as `--diff` shows them.
package struct Diff: Sendable, Hashable {
    package var before: String
    package var after: String
    package var beforeHeader: String
    package var afterHeader: String
    /// Lines to print as they are, before the two texts: why there is nothing to compare.
    package var note: String
    /// Before and after as mappings, which the display writes as JSON, in place of the texts.
    package var mappings: [Dict] = []
    package init(
        before: String, after: String, beforeHeader: String = "", afterHeader: String = "", note: String = ""
    ) {
        self.before = before
        self.after = after
        self.beforeHeader = beforeHeader
        self.afterHeader = afterHeader
        self.note = note
    }
    package init(before: Dict, after: Dict, header: String = "") {
        self.init(before: "", after: "", beforeHeader: header, afterHeader: header)
        mappings = [before, after]
    }
    package var value: Value {
        var dict: Dict = ["before": .string(before), "after": .string(after)]
        if mappings.count == 2 { dict = ["before": .dict(mappings[0]), "after": .dict(mappings[1])] }
        if !beforeHeader.isEmpty { dict["before_header"] = .string(beforeHeader) }
        if !afterHeader.isEmpty { dict["after_header"] = .string(afterHeader) }
        if !note.isEmpty { dict["prepared"] = .string(note) }
        return .dict(dict)
    }
}

/// What a module did: the result that `register` keeps.
package struct Outcome: Sendable {
    package var changed: Bool
    /// Every other key of the result, named as Ansible's module of the same name names it.
    package var values: Dict
    package var diff: [Diff]
    /// What becomes known of the host (`ansible_facts`).
    package var facts: Dict
    package var warnings: [String]
    package var failed: Bool
    package var skipped: Bool

    package init(
        changed: Bool = false, _ values: Dict = Dict(), diff: [Diff] = [], facts: Dict = Dict(),
        warnings: [String] = [], failed: Bool = false, skipped: Bool = false
    ) {
        self.changed = changed
        self.values = values
        self.diff = diff
        self.facts = facts
        self.warnings = warnings
        self.failed = failed
        self.skipped = skipped
    }
}

extension Resource {
    package func diff(from before: State?, to after: State?) -> [Diff] {
        let old = before?.fields ?? Dict()
        let new = after?.fields ?? Dict()
        var left = Dict()
        var right = Dict()
        for name in old.names + new.names.filter({ old[$0] == nil }) where old[name] != new[name] {
            if let value = old[name] { left[name] = value }
            if let value = new[name] { right[name] = value }
        }
        func text(_ dict: Dict) -> String { dict.isEmpty ? "" : Value.dict(dict).json(JSONStyle(indent: 4)) + "\n" }
        return [Diff(before: text(left), after: text(right))]
    }
}
