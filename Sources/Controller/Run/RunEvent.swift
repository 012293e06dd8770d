package import Values
package import Wire

/// What a run shows, in the order in which a person is to see it.
package enum RunEvent: Sendable {
    /// A play begins, or its next batch of hosts. `hosts` is empty where the pattern matched none.
    /// `checkMode` is what the play itself says of it.
    case play(name: String, place: Place?, hosts: [String], checkMode: Bool? = nil)
    case noHostsMatched
    case noHostsLeft
    /// The banner of a task: once for each.
    case task(TaskInfo, Position)
    case item(host: String, TaskInfo, TaskResult)
    case result(host: String, TaskInfo, TaskResult)
    /// What a `meta` task did, or why it did nothing.
    case meta(host: String, TaskInfo, TaskResult)
    /// Tried again, so many times at most.
    case retry(host: String, TaskInfo, left: Int)
    /// It runs on by itself, and has not ended yet.
    case polled(host: String, TaskInfo, job: String)
    case included(hosts: [String], path: String, label: String)
    case notified(host: String, handler: String)
    case message(host: String?, Diagnostic)
    /// The task is done again: what it came to first does not count.
    case redone(host: String, [Status])
    /// A question that a person has answered, as a headline.
    case answered(String)
    /// A failure of this host was rescued: it counts as that.
    case rescued(host: String)
    case addHost(host: String, name: String, groups: [String], variables: Dict)
    case groupBy(host: String, group: String, parents: [String])
    case stats(host: String, Dict, perHost: Bool, aggregate: Bool)
    /// For a line of what is going on, out of order: a task begins to run on a host, or it waits again (`nil`).
    case activity(host: String, TaskInfo?)
    /// The end, with every host that took part, in order of their names.
    case recap([(host: String, HostCounts)])
}

extension RunEvent {
    /// Whose event it is, where it is one host's.
    var host: String? {
        switch self {
        case .item(let host, _, _), .result(let host, _, _), .meta(let host, _, _), .retry(let host, _, _),
            .polled(let host, _, _), .notified(let host, _), .rescued(let host), .redone(let host, _),
            .addHost(let host, _, _, _), .groupBy(let host, _, _), .stats(let host, _, _, _), .activity(let host, _):
            host
        case .message(let host, _): host
        case .play, .noHostsMatched, .noHostsLeft, .task, .included, .answered, .recap: nil
        }
    }
}

/// Takes what a run shows. Called in order, by one task at a time; must not hold it up.
package protocol EventSink: Sendable {
    func show(_ event: RunEvent)
}
