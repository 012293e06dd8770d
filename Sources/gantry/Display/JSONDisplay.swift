import Controller
import Synchronization
import Values
import Wire

/// One JSON object a line for each event: `--output json`.
final class JSONDisplay: EventSink {
    private let lock = Mutex(())

    func show(_ event: RunEvent) {
        guard let value = value(of: event) else { return }
        lock.withLock { _ in Output.print(Value.dict(value).json(JSONStyle(asciiOnly: false))) }
    }

    private func value(of event: RunEvent) -> Dict? {
        switch event {
        case .play(let name, let place, let hosts, _):
            return ["event": "play", "play": .string(name), "place": self.place(place), "hosts": .strings(hosts)]
        case .noHostsMatched: return ["event": "no_hosts_matched"]
        case .noHostsLeft: return ["event": "no_hosts_left"]
        case .task(let info, _): return task("task", info)
        case .item(let host, let info, let result): return self.result("item", host, info, result)
        case .result(let host, let info, let result): return self.result("result", host, info, result)
        case .meta(let host, let info, let result):
            return info.isImplicit ? nil : self.result("meta", host, info, result)
        case .included(let hosts, let path, _):
            return ["event": "included", "hosts": .strings(hosts), "path": .string(path)]
        case .retry(let host, let info, let left):
            return task("retry", info).merging(["host": .string(host), "left": .int(left)]) { $1 }
        case .polled(let host, let info, let job):
            return task("polled", info).merging(["host": .string(host), "job": .string(job)]) { $1 }
        case .notified(let host, let handler):
            return ["event": "notified", "host": .string(host), "handler": .string(handler)]
        case .message(let host, let diagnostic):
            return [
                "event": .string(diagnostic.severity.rawValue), "host": host.map { .string($0) } ?? .null,
                "place": place(diagnostic.place), "msg": .string(diagnostic.message),
                "notes": .strings(diagnostic.notes),
            ]
        case .rescued(let host): return ["event": "rescued", "host": .string(host)]
        case .redone(let host, _): return ["event": "redone", "host": .string(host)]
        case .stats(let host, let values, _, _):
            return ["event": "stats", "host": .string(host), "data": .dict(values)]
        case .recap(let hosts):
            let counts = hosts.map { host, counts in
                (host, Value.dict(Dict(counts.pairs.map { ($0.name, Value.int($0.count)) })))
            }
            return ["event": "recap", "hosts": .dict(Dict(counts))]
        case .addHost, .groupBy, .activity, .answered: return nil
        }
    }

    private func place(_ place: Place?) -> Value { place.map { .string($0.description) } ?? .null }

    private func task(_ event: String, _ info: TaskInfo) -> Dict {
        [
            "event": .string(event), "task": .string(info.name), "module": .string(info.module),
            "place": place(info.place), "handler": .bool(info.isHandler),
        ]
    }

    private func result(_ event: String, _ host: String, _ info: TaskInfo, _ result: TaskResult) -> Dict {
        var value = task(event, info)
        value["host"] = .string(host)
        value["status"] = .string(result.status.rawValue)
        value["result"] = .dict(
            Dict(uniqueKeysWithValues: result.result.filter { !$0.key.pythonText.hasPrefix("_") }.elements))
        if !result.diff.isEmpty { value["diff"] = .list(result.diff) }
        if let label = result.label { value["item"] = .string(label) }
        if let diagnostic = result.diagnostic { value["error"] = .string(diagnostic.rendered) }
        if let delegate = result.delegate { value["delegate"] = .string(delegate) }
        return value
    }
}
