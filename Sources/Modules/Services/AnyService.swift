import Machine
import Values

/// `service`: services by whatever init system the node has: systemd, else init scripts.
struct AnyService: Action {
    var unit = SystemdUnit()
    var use = "auto"
    var sleep: Int?
    var pattern: String?
    var runlevel: String?
    var arguments: String?
    init() {}

    static let schema = Schema<AnyService>(
        "service", "Manages services with the node's own init system.",
        SystemdUnit.schema.parameters.map { Parameter($0, in: \.unit) } + [
            Parameter("use", \.use, default: "auto", "The init system's module; auto takes the node's own."),
            Parameter("sleep", \.sleep, "Seconds between stop and start of a restart; init scripts only."),
            Parameter("pattern", \.pattern, "Text that a running process's line holds; init scripts only."),
            Parameter("runlevel", \.runlevel, default: "default", "Has an effect on OpenRC only."),
            Parameter("arguments", \.arguments, aliases: ["args"], "Further words for the init script."),
        ],
        options: SchemaOptions(
            returns: SystemdUnit.schema.options.returns,
            examples: """
                - name: A service, now and after a reboot
                  ansible.builtin.service:
                    name: ssh
                    state: started
                    enabled: true
                """))

    /// With any other first process there may be init scripts, as in a container.
    private static let foreign: Set<String> = [
        "bsdinit", "dinit", "launchd", "openrc", "openrc-init", "runit", "runit-init", "s6-svscan", "smf", "src", "svc",
        "systemctl", "upstart",
    ]

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        var kind = use
        if use == "auto" {
            let source = FactSource(machine: machine, context: context, options: FactOptions())
            kind = source.serviceManager()["service_mgr"]?.text ?? "service"
        }
        switch kind.split(separator: ".").last.map(String.init) ?? kind {
        case "systemd", "systemd_service":
            var outcome = try unit.run(on: machine, context)
            for (name, given) in [
                ("sleep", sleep != nil), ("pattern", pattern != nil), ("runlevel", runlevel != nil),
                ("arguments", arguments != nil),
            ] where given { outcome.warnings.append("Ignoring \"\(name)\" as it is not used in \"systemd\"") }
            return outcome
        case let other where !Self.foreign.contains(other): return try runScript(on: machine, context)
        default:
            throw Failure("init system '\(kind)' is not supported; use the module 'command' with its own programs")
        }
    }

    /// Init scripts: `service` for the state, links in `/etc/rc?.d` and `update-rc.d` for the boot.
    private func runScript(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        guard let name = unit.name else { throw Failure("missing parameter: name") }
        let script = "/etc/init.d/" + name
        guard try attempt({ () throws(MachineError) in try machine.exists(script) }) else {
            let text = "Could not find the requested service \(name): host"
            guard context.checkMode else { throw Failure(text) }
            return Outcome(changed: true, ["name": .string(name)], warnings: [text])
        }
        var steps: [[String]] = []
        var result: Dict = ["name": .string(name)]
        if let enabled = unit.enabled {
            result["enabled"] = .bool(enabled)
            let links = try attempt { () throws(MachineError) in try machine.paths(matching: "/etc/rc?.d/S??" + name) }
            if links.isEmpty == enabled {
                guard machine.program("update-rc.d") != nil else {
                    throw Failure("no update-rc.d on this node to \(enabled ? "enable" : "disable") service '\(name)'")
                }
                steps.append(["update-rc.d", name, enabled ? "defaults" : "disable"])
                if enabled { steps.append(["update-rc.d", name, "enable"]) }
            }
        }
        if let state = unit.state {
            result["state"] = state == .stopped ? "stopped" : "started"
            let running = try isRunning(script, on: machine, context)
            let verbs: [String] =
                switch state {
                case .started: running ? [] : ["start"]
                case .stopped: running ? ["stop"] : []
                case .restarted: running ? ["stop", "start"] : ["start"]
                case .reloaded: running ? ["reload"] : ["start"]
                }
            steps += verbs.map { [script, $0] + (arguments?.split(separator: " ").map(String.init) ?? []) }
        }
        if steps.isEmpty { return Outcome(result) }
        guard let editor = try context.editor() else { return Outcome(changed: true, result) }
        try attempt { () throws(MachineError) in
            for step in steps {
                let done = try editor.run(Command(step, environment: context.environment))
                if done.status != 0 {
                    let text = done.errors.isEmpty ? done.outputText : done.errorText
                    throw MachineError("\(step.joined(separator: " ")): \(text.trimmed)")
                }
                if step.last == "stop", let sleep { try editor.sleep(seconds: Double(sleep)) }
            }
        }
        return Outcome(changed: true, result)
    }

    private func isRunning(_ script: String, on machine: some MachineReader, _ context: Context) throws(Failure) -> Bool
    {
        try attempt { () throws(MachineError) in
            if let pattern {
                for name in try machine.names(in: "/proc") ?? [] where Int(name) != nil {
                    guard let line = try? machine.contents(of: "/proc/\(name)/cmdline") else { continue }
                    let words = String(decoding: line.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
                    if words.contains(pattern) { return true }
                }
                return false
            }
            return try machine.inspect(Command([script, "status"], environment: context.environment)).status == 0
        }
    }
}
