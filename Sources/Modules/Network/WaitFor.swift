import Machine
import Patterns
import Values

/// `wait_for`: waits for a port, a file or a text.
struct WaitFor: Action {
    enum State: String, CaseIterable, Choice { case absent, drained, present, started, stopped }

    var host = "127.0.0.1"
    var port: Int?
    var path: String?
    var state = State.started
    var searchRegex: String?
    var timeout = 300
    var connectTimeout = 5
    var delay = 0
    var sleep = 1
    var msg: String?
    var excludeHosts: [String]?
    var activeConnectionStates = ["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "SYN_RECV", "SYN_SENT", "TIME_WAIT"]
    init() {}

    static let schema = Schema<WaitFor>(
        "wait_for", "Waits for a port, a file, a text in either, or some time.",
        [
            Parameter("host", \.host, default: "127.0.0.1", "The host whose port is tried, from the node."),
            Parameter("port", \.port, "The port."),
            Parameter("path", \.path, "The file."),
            Parameter(
                "state", \.state, default: "started",
                "started and present: open or there; stopped and absent: closed or gone; drained: no connections."),
            Parameter(
                "search_regex", \.searchRegex, "A regular expression that the file or the port's greeting matches."),
            Parameter("timeout", \.timeout, default: "300", "Seconds until it is given up."),
            Parameter("connect_timeout", \.connectTimeout, default: "5", "Seconds for one connection."),
            Parameter("delay", \.delay, default: "0", "Seconds before the first try."),
            Parameter("sleep", \.sleep, default: "1", "Seconds between two tries."),
            Parameter("msg", \.msg, "What is said when the time is over."),
            Parameter("exclude_hosts", \.excludeHosts, "Hosts whose connections do not count, for drained."),
            Parameter(
                "active_connection_states", \.activeConnectionStates,
                default: "ESTABLISHED, FIN_WAIT1, FIN_WAIT2, SYN_RECV, SYN_SENT, TIME_WAIT",
                "States of TCP connections that count, for drained."),
        ],
        options: SchemaOptions(
            checkMode: "none",
            returns: [
                ("elapsed", "Seconds that it took."), ("match_groups", "What the expression's groups matched."),
                ("match_groupdict", "The same by the groups' names."),
            ],
            examples: """
                - name: Until SSH answers
                  ansible.builtin.wait_for:
                    host: "{{ new_host }}"
                    port: 22
                    search_regex: OpenSSH

                - name: Until the lock is gone
                  ansible.builtin.wait_for:
                    path: /var/lock/app
                    state: absent
                """))

    /// What a try found out.
    private struct Found {
        var groups: [Value] = []
        var named = Dict()
    }

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        guard let editor = try context.editor() else { return .withoutCheckMode("wait_for") }
        let pattern = try checked()
        let path = try attempt { () throws(MachineError) in
            try self.path.map { (path) throws(MachineError) in try editor.expanded(path, context.environment) }
        }
        let start = editor.now
        try pause(Double(delay), on: editor)
        var found = Found()
        if port == nil, path == nil, state != .drained {
            try pause(Double(timeout), on: editor)
        } else {
            while true {
                let left = start + Double(timeout) - editor.now
                guard left > 0 else {
                    throw Failure(msg ?? timeoutText(path), result: ["elapsed": .int(Int(editor.now - start))])
                }
                if let success = try tried(path, pattern, left, on: editor) {
                    found = success
                    break
                }
                try pause(Double(sleep), on: editor)
            }
        }
        var result: Dict = [
            "state": .string(state.rawValue), "port": port.map { .int($0) } ?? .null,
            "search_regex": .optional(searchRegex),
            "match_groups": .list(found.groups), "match_groupdict": .dict(found.named), "path": .optional(path),
            "elapsed": .int(Int(editor.now - start)),
        ]
        if let path { try show(path, on: editor, &result) }
        return Outcome(result)
    }

    private func checked() throws(Failure) -> Pattern? {
        let none: Dict = ["elapsed": 0]
        if port != nil, path != nil {
            throw Failure("port and path parameter can not both be passed to wait_for", result: none)
        }
        if path != nil, state == .stopped || state == .drained {
            throw Failure(
                "state=\(state.rawValue) should only be used for checking a port in the wait_for module", result: none)
        }
        if excludeHosts != nil, state != .drained {
            throw Failure("exclude_hosts should only be with state=drained", result: none)
        }
        for state in activeConnectionStates where Connections.states[state] == nil {
            throw Failure("unknown active_connection_state (\(state)) defined", result: none)
        }
        guard let searchRegex else { return nil }
        do { return try Pattern(searchRegex, [.multiline]) } catch {
            throw Failure("Invalid regular expression: \(error)")
        }
    }

    private func pause(_ seconds: Double, on machine: some MachineReader) throws(Failure) {
        guard seconds > 0 else { return }
        do { try machine.sleep(seconds: seconds) } catch { throw Failure(error) }
    }

    /// One try; `nil` when it is not yet as wanted.
    private func tried(
        _ path: String?, _ pattern: Pattern?, _ left: Double, on machine: some MachineReader
    ) throws(Failure) -> Found? {
        switch state {
        case .absent, .stopped:
            if let path { return try exists(path, on: machine) ? nil : Found() }
            return try probe(left, 0, on: machine) == nil ? Found() : nil
        case .present, .started:
            if let path {
                guard try exists(path, on: machine) else { return nil }
                guard let pattern else { return Found() }
                let bytes = try? machine.contents(of: path)
                return try bytes.flatMap { (bytes) throws(Failure) in try search(pattern, bytes) }
            }
            guard let greeting = try probe(left, pattern == nil ? 0 : 1 << 20, on: machine) else { return nil }
            guard let pattern else { return Found() }
            // What a port says is not reported, as in Ansible.
            return try search(pattern, greeting) == nil ? nil : Found()
        case .drained:
            let connections = try Connections(on: machine)
            let hosts = try addresses(host, on: machine)
            var excluded: Set<String> = []
            for name in excludeHosts ?? [] { excluded.formUnion(try addresses(name, on: machine)) }
            let count = connections.count(
                at: hosts, port: port, states: activeConnectionStates, excluding: excluded)
            return count == 0 ? Found() : nil
        }
    }

    private func exists(_ path: String, on machine: some MachineReader) throws(Failure) -> Bool {
        do { return try machine.exists(path) } catch { throw Failure(error) }
    }

    private func addresses(_ name: String, on machine: some MachineReader) throws(Failure) -> Set<String> {
        do { return Set(try machine.addresses(of: name)).union([name]) } catch { throw Failure(error) }
    }

    /// What the port says; `nil` when it cannot be reached.
    private func probe(_ left: Double, _ limit: Int, on machine: some MachineReader) throws(Failure) -> [UInt8]? {
        guard let port else { return nil }
        // Waiting for a text may take all the time that is left, connecting may not.
        let patience = limit > 0 ? left : Swift.min(Double(connectTimeout), left)
        let known = try addresses(host, on: machine)
        let ordered = known.count > 1 ? known.subtracting([host]).sorted() : [host]
        for address in ordered {
            if case .open(let bytes) = machine.probe(address: address, port: port, timeout: patience, readLimit: limit)
            {
                return bytes
            }
        }
        return nil
    }

    private func search(_ pattern: Pattern, _ bytes: [UInt8]) throws(Failure) -> Found? {
        let match: Match?
        do { match = try pattern.firstMatch(in: bytes) } catch { throw Failure("\(error)") }
        guard let match else { return nil }
        var found = Found()
        for index in 1..<Swift.max(1, pattern.groupCount + 1) { found.groups.append(.optional(match.group(index))) }
        for (name, index) in pattern.groupNames.sorted(by: { $0.value < $1.value }) {
            found.named[name] = .optional(match.group(index))
        }
        return found
    }

    private func timeoutText(_ path: String?) -> String {
        let place = path ?? "\(host):\(port.map(String.init) ?? "None")"
        switch state {
        case .stopped, .absent:
            return path == nil
                ? "Timeout when waiting for \(place) to stop." : "Timeout when waiting for \(place) to be absent."
        case .drained: return "Timeout when waiting for \(place) to drain"
        case .present, .started:
            if let searchRegex { return "Timeout when waiting for search string \(searchRegex) in \(place)" }
            return "Timeout when waiting for " + (path == nil ? place : "file \(place)")
        }
    }

    /// Owner, mode and kind of the file, which results with a path carry.
    private func show(_ path: String, on machine: some MachineReader, _ result: inout Dict) throws(Failure) {
        do throws(MachineError) {
            guard let status = try machine.status(of: path) else {
                result["state"] = "absent"
                return
            }
            result["uid"] = .int(Int(status.owner))
            result["gid"] = .int(Int(status.group))
            result["owner"] = .string(try machine.user(id: status.owner)?.name ?? String(status.owner))
            result["group"] = .string(try machine.group(id: status.group)?.name ?? String(status.group))
            result["mode"] = .string(octal(status.mode))
            result["state"] = .string(stateName(status))
            result["size"] = .int(Int(status.size))
        } catch { throw Failure(error) }
    }
}
