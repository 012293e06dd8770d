import Machine
import Values

/// `hostname`: the name of the machine, now and after the next start.
struct HostName: Action {
    enum Use: String, CaseIterable, Choice {
        case alpine, debian, freebsd, generic, macos, macosx, darwin, openbsd, openrc, redhat, sles, solaris, systemd
    }

    var name = ""
    var use: Use?
    init() {}

    static let schema = Schema<HostName>(
        "hostname", "Sets the machine's name.",
        [
            Parameter("name", \.name, required: true, "The name."),
            Parameter("use", \.use, "How names are set here; found out by itself. Linux's ways are known."),
        ],
        options: SchemaOptions(
            returns: [
                ("name", "The name."),
                ("ansible_facts", "ansible_hostname, ansible_nodename, ansible_fqdn and ansible_domain."),
            ],
            examples: """
                - name: The machine's name
                  ansible.builtin.hostname:
                    name: web-01
                """,
            notes: ["/etc/hosts is left alone; have a line there with 'lineinfile' where the name is looked up."]))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        let isRunning = try attempt { () throws(MachineError) in try machine.exists("/run/systemd/system") }
        let isSystemd = use == .systemd || use == nil && machine.program("hostnamectl") != nil && isRunning
        try check(isSystemd: isSystemd)
        let file = use == .openrc ? "/etc/conf.d/hostname" : use == .redhat ? "/etc/sysconfig/network" : "/etc/hostname"
        let (current, permanent) = try attempt { () throws(MachineError) in
            (machine.identity.hostName, try machine.text(of: file))
        }
        let stored = stored(permanent ?? "")
        let facts: Dict = [
            "ansible_hostname": .string(String(name.prefix { $0 != "." })), "ansible_nodename": .string(name),
            "ansible_fqdn": .string(name), "ansible_domain": .string(String(name.drop { $0 != "." }.dropFirst())),
        ]
        guard current != name || stored != name else {
            return Outcome(["name": .string(name)], facts: facts)
        }
        let before = current != name ? current : stored
        let diff = Diff(before: "hostname = \(before)\n", after: "hostname = \(name)\n")
        if let editor = try context.editor() {
            if current != name { try setNow(isSystemd: isSystemd, on: editor, context) }
            if stored != name { try store(file, permanent ?? "", isSystemd: isSystemd, on: editor, context) }
        }
        return Outcome(
            changed: true, ["name": .string(name)], diff: context.diffMode ? [diff] : [], facts: facts)
    }

    private func check(isSystemd: Bool) throws(Failure) {
        let others: [Use] = [.freebsd, .macos, .macosx, .darwin, .openbsd, .solaris]
        if let use, others.contains(use) {
            throw Failure("hostname strategy '\(use.rawValue)' is not for Linux, and Gantry's nodes run Linux")
        }
        let limit = isSystemd ? 64 : 255
        if name.utf8.count > limit {
            throw Failure(
                isSystemd
                    ? "name cannot be longer than 64 characters on systemd servers, try a shorter name"
                    : "name cannot be longer than \(limit) characters")
        }
        if name.isEmpty || name.contains(where: \.isWhitespace) {
            throw Failure("'\(name)' is not a name of a host")
        }
    }

    /// The name in the file's text, which is the name alone, or a `hostname=` line among others.
    private func stored(_ text: String) -> String {
        guard use == .openrc || use == .redhat else {
            return text.pythonLines.first { !$0.hasPrefix("#") && !$0.trimmed.isEmpty }?.trimmed ?? ""
        }
        let line = text.pythonLines.first { $0.trimmed.lowercased().hasPrefix("hostname=") }
        return line.map { $0.trimmed.dropFirst("hostname=".count).trimmed.filter { $0 != "\"" } } ?? ""
    }

    private func perform(
        _ words: [String], on editor: any MachineEditor, _ context: Context
    ) throws(Failure) {
        let done = try attempt { () throws(MachineError) in
            try editor.run(Command(words, environment: context.environment))
        }
        if done.status != 0 {
            throw Failure(
                "Command failed rc=\(done.status), out=\(done.outputText), err=\(done.errorText)",
                result: ["rc": .int(Int(done.status))])
        }
    }

    private func setNow(isSystemd: Bool, on editor: any MachineEditor, _ context: Context) throws(Failure) {
        if isSystemd {
            try perform(["hostnamectl", "--transient", "set-hostname", name], on: editor, context)
        } else {
            try perform(["hostname", name], on: editor, context)
        }
    }

    private func store(
        _ file: String, _ old: String, isSystemd: Bool, on editor: any MachineEditor, _ context: Context
    ) throws(Failure) {
        if isSystemd {
            try perform(["hostnamectl", "--pretty", "--static", "set-hostname", name], on: editor, context)
            return
        }
        var text = name + "\n"
        if use == .openrc || use == .redhat {
            let line = use == .openrc ? "hostname=\"\(name)\"" : "HOSTNAME=\(name)"
            var lines = old.pythonLines
            if let place = lines.firstIndex(where: { $0.trimmed.lowercased().hasPrefix("hostname=") }) {
                lines[place] = line
            } else {
                lines.append(line)
            }
            text = lines.joined(separator: "\n") + "\n"
        }
        try attempt { () throws(MachineError) in
            let mode = try editor.status(of: file, followingLinks: true)?.mode ?? 0o644
            try editor.replace(file, with: Array(text.utf8), attributes: Attributes(mode: mode))
        }
    }
}
