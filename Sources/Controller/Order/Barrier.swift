package import Wire

/// Keeps the order of changes that Ansible's `linear` has, without lock-step: pure, hosts are numbers in batch order.
///
/// A host that wants to change something at a position goes on when every other host has finished what comes before
/// it; as long as it only reads, it does not ask and nobody waits for it to.
package struct Barrier: Sendable {
    package enum Request: Sendable, Hashable {
        /// Wants to change something. `throttle`: at most so many hosts in this task at once; 0 is no limit.
        case turn(throttle: Int)
        /// Wants to know something that hangs on what other hosts did before.
        case look
        /// One host of the batch does it, the others take over what comes of it.
        case once
    }

    package struct Release: Sendable, Hashable {
        package enum Kind: Sendable, Hashable {
            case proceed
            /// Another host has done it.
            case follow
            case stop(String)
        }
        package var host: Int
        package var kind: Kind
        package init(host: Int, kind: Kind) {
            self.host = host
            self.kind = kind
        }
    }

    private enum State {
        /// Everything before `floor` is finished. `isActive`: it may be changing something.
        case running(floor: Position, isActive: Bool)
        case waiting(Position, Request)
        /// Another host is doing it for this one.
        case parked(Position)
        case ended
    }

    private var states: [State]
    private let isFree: Bool
    private let forks: Int
    private var activeCount = 0
    private var waitingCount = 0
    private var parkedCount = 0
    /// Who does a `once`, by position; `nil` when it is done.
    private var leaders: [Position: Int?] = [:]
    private var stop: (after: Position, reason: String)?
    /// The smallest position that anyone waits at; `nil` when it has to be looked for.
    private var smallest: Position?
    /// The host that was in the way when last looked; most often it still is.
    private var blocker = 0

    /// - Parameters:
    ///   - forks: at most so many hosts change something at once; 0 is no limit.
    ///   - isFree: nobody waits for anybody, except for a `once`.
    package init(hosts: Int, forks: Int = 0, isFree: Bool = false) {
        states = Array(repeating: .running(floor: Position([]), isActive: false), count: hosts)
        self.forks = forks
        self.isFree = isFree
    }

    /// A host asks to go on at a position.
    package mutating func ask(_ host: Int, _ position: Position, _ request: Request) -> [Release] {
        leave(host)
        if let stop, position > stop.after {
            states[host] = .running(floor: position, isActive: false)
            return [Release(host: host, kind: .stop(stop.reason))] + settle()
        }
        states[host] = .waiting(position, request)
        waitingCount += 1
        if waitingCount == 1 || smallest.map({ position < $0 }) ?? false { smallest = position }
        return settle()
    }

    /// The host that did a `once` has told the result.
    package mutating func finishOnce(_ position: Position) -> [Release] {
        leaders[position] = .some(nil)
        return releaseParked(at: position, kind: .follow) + settle()
    }

    /// A host has finished the play, or is lost.
    package mutating func end(_ host: Int) -> [Release] {
        leave(host)
        states[host] = .ended
        var orphans: [Position] = []
        for (position, leader) in leaders where leader == host { orphans.append(position) }
        for position in orphans {
            leaders[position] = nil
            // They ask again, and the first of them does it.
            for index in states.indices {
                guard case .parked(position) = states[index] else { continue }
                parkedCount -= 1
                waitingCount += 1
                states[index] = .waiting(position, .once)
            }
            smallest = nil
        }
        return settle()
    }

    /// The play ends for everyone who comes to a position after this one.
    package mutating func stop(after position: Position, reason: String) -> [Release] {
        if let stop, stop.after <= position { return [] }
        stop = (position, reason)
        var releases: [Release] = []
        for host in states.indices {
            let at: Position
            switch states[host] {
            case .waiting(let position, _), .parked(let position): at = position
            case .running, .ended: continue
            }
            guard at > position else { continue }
            leave(host)
            states[host] = .running(floor: at, isActive: false)
            releases.append(Release(host: host, kind: .stop(reason)))
        }
        return releases + settle()
    }

    // MARK: Settling

    private mutating func leave(_ host: Int) {
        switch states[host] {
        case .running(_, let isActive): if isActive { activeCount -= 1 }
        case .waiting(let position, _):
            waitingCount -= 1
            if position == smallest { smallest = nil }
        case .parked: parkedCount -= 1
        case .ended: break
        }
    }

    /// Lets go whoever may go on now.
    private mutating func settle() -> [Release] {
        guard waitingCount > 0 else { return [] }
        if isFree { return states.indices.flatMap { released($0) } }
        let position = smallest ?? smallestWaiting()
        smallest = position
        guard let position, !isBlocked(position) else { return [] }
        var releases: [Release] = []
        for host in states.indices {
            if case .waiting(position, _) = states[host] { releases += released(host) }
        }
        return releases
    }

    private func smallestWaiting() -> Position? {
        var found: Position?
        for state in states {
            guard case .waiting(let position, _) = state else { continue }
            if found.map({ position < $0 }) ?? true { found = position }
        }
        return found
    }

    /// Whether any host has not finished what comes before the position.
    private mutating func isBlocked(_ position: Position) -> Bool {
        for offset in states.indices {
            let host = (blocker + offset) % states.count
            switch states[host] {
            case .running(let floor, _), .parked(let floor):
                if floor < position {
                    blocker = host
                    return true
                }
            case .waiting, .ended: continue
            }
        }
        return false
    }

    /// Lets one waiting host go, if the limits allow it.
    private mutating func released(_ host: Int) -> [Release] {
        guard case .waiting(let position, let request) = states[host] else { return [] }
        switch request {
        case .turn(let throttle):
            if forks > 0, activeCount >= forks { return [] }
            if throttle > 0, active(at: position) >= throttle { return [] }
            return [go(host, position, isActive: true, .proceed)]
        case .look:
            return [go(host, position, isActive: false, .proceed)]
        case .once:
            switch leaders[position] {
            case nil:
                leaders[position] = host
                return [go(host, position, isActive: false, .proceed)]
            case .some(nil):
                return [go(host, position, isActive: false, .follow)]
            case .some:
                leave(host)
                states[host] = .parked(position)
                parkedCount += 1
                return []
            }
        }
    }

    private mutating func go(_ host: Int, _ position: Position, isActive: Bool, _ kind: Release.Kind) -> Release {
        leave(host)
        states[host] = .running(floor: position, isActive: isActive)
        if isActive { activeCount += 1 }
        return Release(host: host, kind: kind)
    }

    private func active(at position: Position) -> Int {
        states.count { if case .running(position, true) = $0 { true } else { false } }
    }

    private mutating func releaseParked(at position: Position, kind: Release.Kind) -> [Release] {
        guard parkedCount > 0 else { return [] }
        var releases: [Release] = []
        for host in states.indices {
            guard case .parked(position) = states[host] else { continue }
            releases.append(go(host, position, isActive: false, kind))
        }
        return releases
    }
}
