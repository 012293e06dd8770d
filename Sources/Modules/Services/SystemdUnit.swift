import Machine
import Values

/// `systemd`: a unit's state, and whether it starts at boot.
struct SystemdUnit: Action {
    enum State: String, CaseIterable, Choice { case reloaded, restarted, started, stopped }
    enum Scope: String, CaseIterable, Choice { case system, user, global }

    var name: String?
    var state: State?
    var enabled: Bool?
    var force: Bool?
    var masked: Bool?
    var daemonReload = false
    var daemonReexec = false
    var scope = Scope.system
    var noBlock = false
    init() {}

    static let schema = Schema<SystemdUnit>(
        "systemd_service", "Manages systemd units.",
        [
            Parameter("name", \.name, aliases: ["service", "unit"], "The unit; '.service' may be left out."),
            Parameter(
                "state", \.state,
                "started and stopped act when needed, restarted and reloaded always (they start what does not run)."),
            Parameter("enabled", \.enabled, "Whether the unit starts at boot."),
            Parameter("force", \.force, "Replace links that are in the way."),
            Parameter("masked", \.masked, "Whether the unit is masked: it cannot be started then."),
            Parameter(
                "daemon_reload", \.daemonReload, aliases: ["daemon-reload"], default: "false",
                "Let systemd read its unit files again, before anything else."),
            Parameter(
                "daemon_reexec", \.daemonReexec, aliases: ["daemon-reexec"], default: "false",
                "Let systemd execute itself again, before anything else."),
            Parameter("scope", \.scope, default: "system", "The manager: system's, the user's, or all users'."),
            Parameter("no_block", \.noBlock, default: "false", "Do not wait until the action is done."),
        ],
        options: SchemaOptions(
            returns: [
                ("name", "The unit as given."), ("state", "The state asked for; started after a restart."),
                ("enabled", "Whether the unit starts at boot now."),
                ("status", "The properties that 'systemctl show' tells, before the change."),
            ],
            examples: """
                - name: A service, now and after a reboot
                  ansible.builtin.systemd_service:
                    name: nginx
                    state: started
                    enabled: true

                - name: After a change of unit files
                  ansible.builtin.systemd_service:
                    name: app
                    state: restarted
                    daemon_reload: true
                """,
            notes: ["daemon_reload does nothing when no unit file changed since the last one."]))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        guard machine.program("systemctl") != nil else {
            throw Failure("Failed to find required executable \"systemctl\" in paths of this node")
        }
        let systemctl = Systemctl(self, machine, context)
        try reload(systemctl, on: machine, context)
        guard let name else {
            guard state == nil, enabled == nil, masked == nil else {
                throw Failure("missing parameter(s) required by 'state', 'enabled' and 'masked': name")
            }
            return Outcome(["name": .null, "status": .dict(Dict())])
        }
        for glob in ["*", "?", "["] where name.contains(glob) {
            throw Failure(
                "This module does not currently support using glob patterns, found '\(glob)' in service name: \(name)")
        }
        let unit = try systemctl.unit(name)
        if let error = unit.status["LoadError"]?.text, unit.exists, !unit.isMasked, !error.isEmpty {
            throw Failure("Error loading unit file '\(name)': \(error)")
        }
        return try converge(unit, systemctl, context)
    }

    private func reload(_ systemctl: Systemctl, on machine: some MachineReader, _ context: Context) throws(Failure) {
        if context.checkMode { return }
        for (wanted, command) in [(daemonReload, "daemon-reload"), (daemonReexec, "daemon-reexec")] where wanted {
            if command == "daemon-reload", scope == .system, !systemctl.filesChanged() { continue }
            let done = try systemctl.run([command])
            if done.status != 0, !systemctl.isOffline {
                throw Failure("failure \(done.status) during \(command): \(done.errorText.trimmed)")
            }
        }
    }

    private func converge(_ unit: Systemctl.Unit, _ systemctl: Systemctl, _ context: Context) throws(Failure) -> Outcome
    {
        var result: Dict = ["name": .string(unit.name), "status": .dict(unit.status)]
        var steps: [(verb: String, error: String)] = []
        if let masked, masked != unit.isMasked {
            let verb = masked ? "mask" : "unmask"
            steps.append((verb, "Failed to \(verb) the service (\(unit.name))"))
        }
        if enabled != nil || state != nil, !unit.exists {
            let text = "Could not find the requested service \(unit.name): host"
            guard context.checkMode else { throw Failure(text) }
            // An earlier task may install it.
            if let enabled { result["enabled"] = .bool(enabled) }
            if let state { result["state"] = .string(state.rawValue) }
            return Outcome(changed: true, result, warnings: [text + " (would change once it is there)"])
        }
        if let enabled {
            result["enabled"] = .bool(enabled)
            let verb = enabled ? "enable" : "disable"
            if enabled != unit.isEnabled { steps.append((verb, "Unable to \(verb) service \(unit.name)")) }
        }
        var warnings: [String] = []
        if let state {
            result["state"] = .string(state == .stopped ? "stopped" : "started")
            if let verb = try verb(for: state, unit) {
                steps.append((verb, "Unable to \(verb) service \(unit.name)"))
            } else if unit.activeState == nil {
                warnings.append(
                    "Target is a chroot or systemd is offline. This can lead to false positives or prevent the init "
                        + "system tools from working.")
            }
        }
        guard !steps.isEmpty else { return Outcome(result, warnings: warnings) }
        if !context.checkMode {
            for step in steps {
                let done = try systemctl.run([step.verb, unit.name])
                if done.status != 0 {
                    let text =
                        step.verb == "enable" || step.verb == "disable"
                        ? done.outputText + done.errorText : done.errorText
                    throw Failure("\(step.error): \(text.trimmed)", result: ["status": .dict(unit.status)])
                }
            }
        }
        let diff =
            context.diffMode
            ? [Diff(before: unit.summary, after: steps.map(\.verb).joined(separator: ", ") + "\n")] : []
        return Outcome(changed: true, result, diff: diff, warnings: warnings)
    }

    /// What systemctl has to do for a state; `nil` when nothing.
    private func verb(for state: State, _ unit: Systemctl.Unit) throws(Failure) -> String? {
        guard let active = unit.activeState else {
            if unit.isOffline { return nil }
            throw Failure("Service is in unknown state", result: ["status": .dict(unit.status)])
        }
        let runs = active == "active" || active == "activating"
        return switch state {
        case .started: runs ? nil : "start"
        case .stopped: runs || active == "deactivating" ? "stop" : nil
        case .restarted: runs ? "restart" : "start"
        case .reloaded: runs ? "reload" : "start"
        }
    }
}
