import Machine
import Values

/// `service_facts`: the services of the node as facts.
struct ServiceFacts: Action {
    init() {}

    static let schema = Schema<ServiceFacts>(
        "service_facts", "Tells the state of every service of the node.", [],
        options: SchemaOptions(
            returns: [
                (
                    "ansible_facts",
                    "'services': by name a mapping of name, state (running, …), status (enabled, …) and source."
                )
            ],
            examples: """
                - name: What runs here
                  ansible.builtin.service_facts:

                - ansible.builtin.debug:
                    msg: "{{ ansible_facts.services['ssh.service'].state }}"
                """, onlyReads: true))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        var services = Dict()
        var warnings: [String] = []
        try addScripts(&services, &warnings, on: machine)
        if machine.program("systemctl") != nil, (try? machine.exists("/run/systemd/system")) ?? false {
            try addUnits(&services, &warnings, on: machine)
            try addUnitFiles(&services, &warnings, on: machine)
        }
        if services.isEmpty {
            let text = "Failed to find any services. This can be due to privileges or some other configuration issue."
            return Outcome(["msg": .string(text)], warnings: warnings, skipped: true)
        }
        return Outcome(facts: ["services": .dict(services)], warnings: warnings)
    }

    private func output(
        _ words: [String], _ problem: (CommandResult) -> String, _ warnings: inout [String],
        on machine: some MachineReader
    ) throws(Failure) -> String {
        let done = try attempt { () throws(MachineError) in try machine.inspect(Command(words)) }
        if done.status != 0 { warnings.append(problem(done)) }
        return done.outputText
    }

    /// What `service` says of the scripts in /etc/init.d: ` [ + ]  cron`.
    private func addScripts(
        _ services: inout Dict, _ warnings: inout [String], on machine: some MachineReader
    ) throws(Failure) {
        guard machine.program("service") != nil, machine.program("chkconfig") == nil,
            machine.program("rc-status") == nil
        else { return }
        let done = try attempt { () throws(MachineError) in
            try machine.inspect(Command(["service", "--status-all"]))
        }
        if done.status != 0 {
            if done.status == 4, try !attempt({ () throws(MachineError) in try machine.exists("/etc/init.d") }) {
                return
            }
            warnings.append("Unable to query 'service' tool (\(done.status)): \(done.errorText)")
        }
        for line in done.outputText.pythonLines {
            let words = line.split { $0.isWhitespace }
            guard words.count >= 4, words[0] == "[", words[2] == "]", words[1] == "+" || words[1] == "-" else {
                continue
            }
            let name = words[3...].joined(separator: " ")
            services[.string(name)] = [
                "name": .string(name), "state": words[1] == "+" ? "running" : "stopped", "source": "sysv",
            ]
        }
    }

    private static let badStates = ["not-found", "masked", "failed"]

    /// Units that systemd knows at the moment: name, loaded, active, sub-state, description.
    private func addUnits(
        _ services: inout Dict, _ warnings: inout [String], on machine: some MachineReader
    ) throws(Failure) {
        let words = ["systemctl", "list-units", "--no-pager", "--type", "service", "--all", "--plain"]
        let text = try output(words, { "Could not list units from systemd: \($0.errorText)" }, &warnings, on: machine)
        for line in text.pythonLines where line.contains(".service") {
            let fields = line.split { $0.isWhitespace }.map(String.init)
            guard fields.count >= 4 else { continue }
            let bad = Self.badStates.first { fields.dropLast().contains($0) }
            services[.string(fields[0])] = [
                "name": .string(fields[0]), "state": fields[3] == "running" ? "running" : "stopped",
                "status": .string(bad ?? fields[2]), "source": "systemd",
            ]
        }
    }

    /// What is enabled, and units that are not loaded.
    private func addUnitFiles(
        _ services: inout Dict, _ warnings: inout [String], on machine: some MachineReader
    ) throws(Failure) {
        let words = ["systemctl", "list-unit-files", "--no-pager", "--type", "service", "--all"]
        let text = try output(
            words, { "Could not get unit files data from systemd: \($0.errorText)" }, &warnings, on: machine)
        var unloaded: [(name: String, status: String)] = []
        for line in text.pythonLines where line.contains(".service") {
            let fields = line.split { $0.isWhitespace }.map(String.init)
            guard fields.count >= 2 else { continue }
            let key = Value.string(fields[0])
            if var known = services[key]?.dict {
                if Self.badStates.contains(known["status"]?.text ?? "") { continue }
                known["status"] = .string(fields[1])
                services[key] = .dict(known)
            } else {
                unloaded.append((fields[0], fields[1]))
            }
        }
        let states = try activeStates(of: unloaded.map(\.name), on: machine)
        for (name, status) in unloaded {
            services[.string(name)] = [
                "name": .string(name), "state": .string(states[name] ?? "unknown"), "status": .string(status),
                "source": "systemd",
            ]
        }
    }

    /// Of all units by one call: blocks of `Id=` and `ActiveState=`, an empty line between two.
    private func activeStates(of names: [String], on machine: some MachineReader) throws(Failure) -> [String: String] {
        // A template has no state of its own, and asking for one fails.
        let units = names.filter { !$0.contains("@.") }
        if units.isEmpty { return [:] }
        let done = try attempt { () throws(MachineError) in
            try machine.inspect(Command(["systemctl", "show", "--property=Id,Names,ActiveState"] + units))
        }
        var states: [String: String] = [:]
        var names: [String] = []
        var state = ""
        for line in done.outputText.pythonLines + [""] {
            if line.hasPrefix("Id=") || line.hasPrefix("Names=") {
                names += line[line.index(after: line.firstIndex(of: "=") ?? line.startIndex)...].split(separator: " ")
                    .map(String.init)
            } else if line.hasPrefix("ActiveState=") {
                state = String(line.dropFirst("ActiveState=".count))
            } else if line.isEmpty {
                for name in names { states[name] = state }
                names = []
            }
        }
        return states
    }
}
