package import Values
package import Wire

/// Who answers an engine's questions: the controller at the other end of a pipe (push), or a bundle (pull).
///
/// Calls block. An error of `ask` ends the run: the coordinator is gone, or says stop.
package protocol Coordinator: AnyObject {
    /// Tells what happened; may be kept back until the next question or the end.
    func tell(_ event: Event)
    func ask(_ question: Question) throws(Interruption) -> Answer
    /// Between tasks: whether the run is to end after the task in hand, and why.
    var stopReason: String? { get }
}

/// Runs modules: in this process, or in one that has become another user.
package protocol Executor: AnyObject {
    /// - Parameter turn: waits until every other host has finished what comes before.
    func perform(
        _ call: ModuleCall, asking coordinator: any Coordinator, turn: @escaping () throws(Interruption) -> Void
    ) -> CallResult
}

/// Why the engine leaves what it was doing.
package enum Interruption: Error, Sendable {
    /// The task failed on this host; `rescue` may catch it.
    case failed(TaskFailure)
    /// `end_host`, `end_play`, `end_batch`, `end_role`.
    case ended(String)
    /// The run is to stop, or the coordinator is gone.
    case stopped(String)
}

package struct TaskFailure: Error, Sendable {
    package var result: Dict
    package var diagnostic: Diagnostic?
    /// Another host's failure, which counts for this one, too.
    package var isEcho = false
    package init(_ result: Dict, diagnostic: Diagnostic? = nil) {
        self.result = result
        self.diagnostic = diagnostic
    }
    package init(_ diagnostic: Diagnostic) {
        self.init(["failed": true, "changed": false, "msg": .string(diagnostic.message)], diagnostic: diagnostic)
    }
    /// - Parameter told: what `msg` says: more than the diagnostic where playbooks compare it.
    package init(_ diagnostic: Diagnostic, told: String) {
        self.init(["failed": true, "changed": false, "msg": .string(told)], diagnostic: diagnostic)
    }
    package init(_ message: String) { self.init(["failed": true, "changed": false, "msg": .string(message)]) }
    package var isUnreachable: Bool { result["unreachable"]?.isTrue ?? false }
}
