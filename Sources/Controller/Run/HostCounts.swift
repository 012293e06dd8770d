import Values
package import Wire

/// How tasks ended on one host, as Ansible's recap counts them.
package struct HostCounts: Sendable, Hashable {
    package var ok = 0
    package var changed = 0
    package var unreachable = 0
    package var failed = 0
    package var skipped = 0
    package var rescued = 0
    package var ignored = 0
    package init() {}

    /// One task's end; a changed task and an ignored failure are ok, too.
    package mutating func count(_ result: TaskResult) {
        switch result.status {
        case .ok: ok += 1
        case .changed:
            ok += 1
            changed += 1
        case .skipped: skipped += 1
        case .failed: failed += 1
        case .unreachable: unreachable += 1
        case .ignored:
            ok += 1
            ignored += 1
            if result.result["changed"]?.isTrue ?? false { changed += 1 }
        case .rescued: countRescue()
        }
    }

    /// The last failure did not count: a block rescued it.
    package mutating func countRescue() {
        rescued += 1
        failed = max(0, failed - 1)
    }

    /// A task that is done again: Ansible takes one from what it counted, and from `ok`, as long as there is any.
    /// What is in a block with `rescue` counts as rescued all the same.
    package mutating func takeBack(_ statuses: [Status]) {
        func less(_ path: WritableKeyPath<Self, Int>) { self[keyPath: path] = max(0, self[keyPath: path] - 1) }
        for status in statuses {
            switch status {
            case .failed: less(\.failed)
            case .unreachable: less(\.unreachable)
            case .changed: less(\.changed)
            case .skipped: less(\.skipped)
            case .rescued: rescued += 1
            case .ok, .ignored: break
            }
        }
        less(\.ok)
    }

    /// An included file counts as a task that is ok.
    package mutating func countInclude() { ok += 1 }

    package var pairs: [(name: String, count: Int)] {
        [
            ("ok", ok), ("changed", changed), ("unreachable", unreachable), ("failed", failed), ("skipped", skipped),
            ("rescued", rescued), ("ignored", ignored),
        ]
    }
}

/// The counts of all hosts, kept from the events that are shown.
package struct Recap: Sendable {
    package private(set) var hosts: [String: HostCounts] = [:]
    package init() {}

    package mutating func count(_ event: RunEvent) {
        switch event {
        case .result(let host, _, let result): hosts[host, default: HostCounts()].count(result)
        case .included(let names, _, _): for host in names { hosts[host, default: HostCounts()].countInclude() }
        case .redone(let host, let statuses): hosts[host, default: HostCounts()].takeBack(statuses)
        case .rescued(let host): hosts[host, default: HostCounts()].countRescue()
        default: break
        }
    }

    package var sorted: [(host: String, HostCounts)] {
        hosts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
