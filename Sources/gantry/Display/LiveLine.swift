import Wire

/// What runs on which hosts, and since when.
struct LiveLine {
    private var running: [String: (task: String, since: ContinuousClock.Instant)] = [:]

    mutating func note(_ host: String, _ info: TaskInfo?) {
        running[host] = info.map { ($0.name.isEmpty ? $0.module : $0.name, .now) }
    }
    mutating func clear() { running = [:] }

    var text: String {
        guard let longest = running.min(by: { $0.value.since < $1.value.since }) else { return "" }
        let seconds = longest.value.since.duration(to: .now).components.seconds
        let hosts = running.filter { $0.value.task == longest.value.task }.keys.sorted()
        let names = hosts.prefix(3).joined(separator: ", ") + (hosts.count > 3 ? " and \(hosts.count - 3) more" : "")
        let others = running.count - hosts.count
        return "… \(longest.value.task) on \(names), \(seconds) s" + (others > 0 ? "; \(others) hosts elsewhere" : "")
    }
}
