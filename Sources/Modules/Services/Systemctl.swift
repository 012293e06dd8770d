import Machine
import Patterns
import Values

/// systemctl for one task.
struct Systemctl {
    let options: [String]
    let machine: any MachineReader
    let context: Context
    private let scope: SystemdUnit.Scope

    init(_ task: SystemdUnit, _ machine: any MachineReader, _ context: Context) {
        self.machine = machine
        self.context = context
        scope = task.scope
        options =
            (task.scope == .system ? [] : ["--\(task.scope.rawValue)"]) + (task.noBlock ? ["--no-block"] : [])
            + (task.force == true ? ["--force"] : [])
    }

    private var environment: [String: String] {
        let folder = "/run/user/\(machine.identity.userID)"
        let missing = machine.environment["XDG_RUNTIME_DIR"] == nil && context.environment["XDG_RUNTIME_DIR"] == nil
        return context.environment.merging(["LC_ALL": "C"]) { $1 }.merging(missing ? ["XDG_RUNTIME_DIR": folder] : [:])
        { $1 }
    }

    /// Runs it after this task's turn has come.
    func run(_ arguments: [String]) throws(Failure) -> CommandResult {
        guard let editor = try context.editor() else { throw Failure("systemctl was about to act in check mode") }
        return try attempt { () throws(MachineError) in
            try editor.run(Command(["systemctl"] + options + arguments, environment: environment))
        }
    }

    private func ask(_ arguments: [String]) throws(Failure) -> CommandResult {
        let scopes = scope == .system ? [] : ["--\(scope.rawValue)"]
        return try attempt { () throws(MachineError) in
            try machine.inspect(Command(["systemctl"] + scopes + arguments, environment: environment))
        }
    }

    var isOffline: Bool {
        environment["SYSTEMD_OFFLINE"] == "1" || machine.environment["SYSTEMD_OFFLINE"] == "1"
            || !((try? machine.exists("/run/systemd/system")) ?? false)
    }

    /// A unit as systemd knows it.
    struct Unit {
        let name: String
        /// What `systemctl show` tells.
        let status: Dict
        let exists: Bool
        let isMasked: Bool
        let isEnabled: Bool
        let isOffline: Bool
        var activeState: String? { status["ActiveState"]?.text }
        /// For the diff.
        var summary: String {
            "\(activeState ?? "unknown"), \(isMasked ? "masked" : isEnabled ? "enabled" : "disabled")\n"
        }
    }

    func unit(_ name: String) throws(Failure) -> Unit {
        let shown = try ask(["show", name])
        let text = shown.outputText
        let status = shown.status == 0 && text.contains("=") ? Self.properties(text) : Dict()
        let load = status["LoadState"]?.text
        let script = (try? machine.exists("/etc/init.d/" + name)) ?? false
        var file = status["UnitFileState"]?.text ?? ""
        if load == nil {
            // No manager answers: the unit files still tell.
            file = try ask(["is-enabled", name]).outputText.trimmed
        }
        let known = [
            "enabled", "enabled-runtime", "linked", "linked-runtime", "masked", "masked-runtime", "static", "indirect",
            "disabled", "generated", "transient", "alias",
        ]
        let isUnit = load.map { $0 != "not-found" } ?? known.contains(file)
        var enabled = ["enabled", "static", "generated", "transient"].contains(file)
        if scope == .system, script, file == "generated" || !isUnit {
            enabled = !((try? machine.paths(matching: "/etc/rc?.d/S??" + name)) ?? []).isEmpty
        }
        return Unit(
            name: name, status: status, exists: isUnit || script,
            isMasked: file == "masked" || (file.isEmpty && load == "masked"), isEnabled: enabled, isOffline: isOffline)
    }

    /// `Name=value` lines; the values of `Exec…` may go over several lines, up to a closing brace.
    static func properties(_ text: String) -> Dict {
        var found = Dict()
        var open: (name: String, lines: [String])?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if var entry = open {
                entry.lines.append(String(line))
                open = entry
                if line.trimmed.hasSuffix("}") {
                    found[entry.name] = .string(entry.lines.joined(separator: "\n").trimmed)
                    open = nil
                }
                continue
            }
            guard let mark = line.firstIndex(of: "=") else { continue }
            let name = String(line[..<mark])
            let value = line[line.index(after: mark)...].trimmed
            if name.hasPrefix("Exec"), value.hasPrefix("{"), !value.hasSuffix("}") {
                open = (name, [value])
            } else {
                found[name] = .string(value)
            }
        }
        return found
    }

    /// Whether a unit file, or what units are made from, changed since systemd last read them. When in doubt, yes.
    func filesChanged() -> Bool {
        guard let done = try? ask(["show", "--property=UnitsLoadTimestampMonotonic"]), done.status == 0,
            let mark = done.outputText.firstIndex(of: "="),
            let loaded = Double(done.outputText[mark...].dropFirst().trimmed),
            let up = (try? machine.contents(of: "/proc/uptime")).map({ String(decoding: $0, as: UTF8.self) })?
                .split(separator: " ").first.flatMap({ Double($0) })
        else { return true }
        // Half a second less, since the two clocks are read one after the other.
        let since = machine.now - up + loaded / 1_000_000 - 0.5
        let folders = [
            "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
            "/lib/systemd/system", "/etc/init.d",
        ]
        return ["/etc/fstab"].contains { changed($0, since) } || folders.contains { treeChanged($0, since, depth: 0) }
    }

    private func changed(_ path: String, _ since: Double) -> Bool {
        guard let status = try? machine.status(of: path, followingLinks: true) else { return false }
        return status.changeTime > since
    }

    private func treeChanged(_ folder: String, _ since: Double, depth: Int) -> Bool {
        guard let status = try? machine.status(of: folder, followingLinks: true), status.kind == .folder else {
            return false
        }
        if status.changeTime > since { return true }
        for name in (try? machine.names(in: folder)) ?? [] {
            let path = folder + "/" + name
            guard let link = try? machine.status(of: path, followingLinks: false) else { continue }
            if link.changeTime > since { return true }
            if link.kind == .folder, depth < 2 {
                if treeChanged(path, since, depth: depth + 1) { return true }
            } else if link.kind == .link, changed(path, since) {
                return true
            }
        }
        return false
    }
}
