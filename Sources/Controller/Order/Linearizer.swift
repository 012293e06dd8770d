import Values
package import Wire

/// Puts what hosts tell into the order of tasks: pure.
///
/// Hosts run ahead of each other; a person is shown task after task, each banner once, and no task before all active
/// hosts are through with the ones before it. With `free`, events are shown as they come.
package struct Linearizer: Sendable {
    private struct Bucket {
        var info: TaskInfo?
        /// Its banner is due before anything comes of it.
        var isAnnounced = false
        var events: [RunEvent] = []
        /// What was told of a `meta` task.
        var metas: [Dict] = []
        /// Shown when every host is past the include, together: path, label, hosts in order.
        var included: [(path: String, label: String, hosts: [String])] = []
    }

    private let hosts: [String]
    private let isFree: Bool
    /// A host's events of a task wait for those of the hosts before it.
    private let inHostOrder: Bool
    /// Where each host is known to be; `nil` when it has ended.
    private var frontiers: [Position?]
    /// A host with the smallest frontier.
    private var slowest = 0
    private var buckets: [Position: Bucket] = [:]
    /// The positions of the buckets, in order.
    private var order: [Position] = []
    private var banner: (position: Position, info: TaskInfo)?
    private var limit: Position?
    private var exempt: Set<String> = []

    package init(hosts: [String], isFree: Bool = false, inHostOrder: Bool = false) {
        self.hosts = hosts
        self.isFree = isFree
        self.inHostOrder = inHostOrder
        frontiers = Array(repeating: Position([]), count: hosts.count)
    }

    /// What a host told, in its order; gives what can be shown now.
    package mutating func take(_ events: [Event], from host: Int) -> [RunEvent] {
        for event in events { file(event, host) }
        return shown()
    }

    /// A host is at a position: it asked for its turn there.
    package mutating func reach(_ position: Position, by host: Int) -> [RunEvent] {
        advance(host, to: position)
        return shown()
    }

    /// A host is through with the play.
    package mutating func end(_ host: Int) -> [RunEvent] {
        frontiers[host] = nil
        if host == slowest { findSlowest() }
        return shown()
    }

    /// The play ended at this position: what hosts did ahead of it (they only read) is not shown.
    ///
    /// - Parameter host: goes on being shown: its `always` and its handlers come behind its failure.
    package mutating func cut(after position: Position, except host: String) {
        limit = limit.map { min($0, position) } ?? position
        exempt.insert(host)
        for late in order where late > position {
            buckets[late]?.events.removeAll { $0.host.map { !exempt.contains($0) } ?? false }
            buckets[late]?.included = []
        }
    }

    // MARK: Filing

    private mutating func file(_ event: Event, _ host: Int) {
        let name = hosts[host]
        switch event {
        case .started(let position, let info) where info.module == "pause":
            if advance(host, to: position) == position { announce(position, info) }
        case .started(let position, _), .passed(let position, _): advance(host, to: position)
        case .item(let position, let info, let result):
            add(.item(host: name, info, result), host, position, info)
        case .retry(let position, let info, let left):
            add(.retry(host: name, info, left: left), host, position, info)
        case .polled(let position, let info, let job):
            add(.polled(host: name, info, job: job), host, position, info)
        case .redone(let position, let statuses):
            add(.redone(host: name, statuses), host, position, nil)
        case .result(let position, let info, let result): add(result, info, position, host)
        case .included(let position, let info, let path, let label):
            let at = advance(host, to: position)
            addInclude(path, label, name, at, at == position ? info : nil)
        case .notified(let handler, let position):
            add(.notified(host: name, handler: handler), host, position, nil)
        case .message(let diagnostic): addHere(.message(host: name, diagnostic), host)
        case .addHost(let added, let groups, let variables):
            addHere(.addHost(host: name, name: added, groups: groups, variables: variables), host)
        case .groupBy(let group, let parents): addHere(.groupBy(host: name, group: group, parents: parents), host)
        case .stats(let data, let perHost, let aggregate):
            addHere(.stats(host: name, data, perHost: perHost, aggregate: aggregate), host)
        case .variables: break
        }
    }

    private mutating func add(_ result: TaskResult, _ info: TaskInfo, _ position: Position, _ host: Int) {
        if result.status == .rescued { return addHere(.rescued(host: hosts[host]), host) }
        // An include shows what it includes, and its tasks told their failures.
        let isInclude = ["include_tasks", "include_role", "include"].contains(info.module)
        let isTold = isInclude && (result.status == .ok || result.result["_failed_task"] != nil)
        if isTold {
            advance(host, to: position)
        } else if info.module == "meta" {
            addMeta(result, info, position, host)
        } else {
            add(.result(host: hosts[host], info, result), host, position, info)
        }
    }

    /// What does not hang on the host is told once.
    private mutating func addMeta(_ result: TaskResult, _ info: TaskInfo, _ position: Position, _ host: Int) {
        let at = advance(host, to: position)
        if buckets[at]?.metas.contains(result.result) ?? false { return }
        add(.meta(host: hosts[host], info, result), at, at == position && !info.isImplicit ? info : nil)
        buckets[at]?.metas.append(result.result)
    }

    private mutating func add(_ event: RunEvent, _ host: Int, _ position: Position, _ info: TaskInfo?) {
        let at = advance(host, to: position)
        add(event, at, at == position ? info : nil)
    }

    /// For what has no position: behind what the host told last.
    private mutating func addHere(_ event: RunEvent, _ host: Int) {
        add(event, frontiers[host] ?? Position([]), nil)
    }

    private mutating func add(_ event: RunEvent, _ position: Position, _ info: TaskInfo?) {
        if isCut(position, event.host) { return }
        open(position, info)
        buckets[position]?.events.append(event)
    }

    private mutating func announce(_ position: Position, _ info: TaskInfo) {
        open(position, info)
        buckets[position]?.isAnnounced = true
    }

    private mutating func addInclude(
        _ path: String, _ label: String, _ host: String, _ position: Position, _ info: TaskInfo?
    ) {
        if isCut(position, host) { return }
        open(position, info)
        let known = buckets[position]?.included.firstIndex { $0.path == path && $0.label == label }
        if let known {
            buckets[position]?.included[known].hosts.append(host)
        } else {
            buckets[position]?.included.append((path, label, [host]))
        }
    }

    private func isCut(_ position: Position, _ host: String?) -> Bool {
        guard let limit, position > limit, let host else { return false }
        return !exempt.contains(host)
    }

    private mutating func open(_ position: Position, _ info: TaskInfo?) {
        if buckets[position] == nil {
            buckets[position] = Bucket()
            order.insert(position, at: index(of: position))
        }
        if let info, buckets[position]?.info == nil { buckets[position]?.info = info }
    }

    private func index(of position: Position) -> Int {
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if order[middle] < position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: Frontiers

    /// A host never goes back: what it tells of an earlier task comes behind what it told before.
    @discardableResult
    private mutating func advance(_ host: Int, to position: Position) -> Position {
        guard let before = frontiers[host] else { return position }
        guard position > before else { return before }
        frontiers[host] = position
        if host == slowest { findSlowest() }
        return position
    }

    private mutating func findSlowest() {
        var best: Position?
        for (host, frontier) in frontiers.enumerated() {
            guard let frontier else { continue }
            if best.map({ frontier < $0 }) ?? true {
                best = frontier
                slowest = host
            }
        }
    }

    // MARK: Showing

    private mutating func shown() -> [RunEvent] {
        var out: [RunEvent] = []
        let slow = hosts.isEmpty ? nil : frontiers[slowest]
        var finished = 0
        for position in order {
            if !isFree, let slow, position > slow { break }
            let isOpen = !isFree && slow == position
            show(position, isOpen: isOpen, &out)
            if isOpen { break }
            finished += 1
        }
        for position in order.prefix(finished) { buckets[position] = nil }
        order.removeFirst(finished)
        return out
    }

    private mutating func show(_ position: Position, isOpen: Bool, _ out: inout [RunEvent]) {
        guard var bucket = buckets.removeValue(forKey: position) else { return }
        let hasSomething = bucket.isAnnounced || !bucket.events.isEmpty || (!isOpen && !bucket.included.isEmpty)
        if hasSomething, let info = bucket.info, banner?.position != position || banner?.info.place != info.place {
            banner = (position, info)
            out.append(.task(info, position))
        }
        if inHostOrder {
            let turn = isOpen ? frontiers.firstIndex { $0.map { $0 <= position } ?? false } : nil
            let events = sortedByHost(bucket.events)
            let due = events.prefix { index(of: $0) <= turn ?? hosts.count }
            out += due
            bucket.events = Array(events.dropFirst(due.count))
        } else {
            out += bucket.events
            bucket.events = []
        }
        if !isOpen {
            for group in bucket.included {
                let included = Set(group.hosts)
                out.append(.included(hosts: hosts.filter(included.contains), path: group.path, label: group.label))
            }
        }
        buckets[position] = bucket
    }

    private func sortedByHost(_ events: [RunEvent]) -> [RunEvent] {
        let numbered = events.enumerated().map { (host: index(of: $1), rank: $0, event: $1) }
        return numbered.sorted { ($0.host, $0.rank) < ($1.host, $1.rank) }.map(\.event)
    }

    private func index(of event: RunEvent) -> Int { event.host.flatMap { hosts.firstIndex(of: $0) } ?? 0 }
}
