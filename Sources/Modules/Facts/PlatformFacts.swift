import Machine
import Values

extension FactSource {
    /// Kernel, architecture and names.
    func platform() -> Dict {
        let identity = machine.identity
        let node = identity.hostName
        let full = fullName(of: node)
        let bits = Int.bitWidth
        var facts: Dict = [
            "system": "Linux", "kernel": .string(identity.kernel), "kernel_version": .string(identity.kernelVersion),
            "machine": .string(identity.architecture), "architecture": .string(identity.architecture),
            "userspace_bits": .string(String(bits)), "fqdn": .string(full), "nodename": .string(node),
            "hostname": .string(node.split(separator: ".").first.map(String.init) ?? node),
            "domain": .string(full.split(separator: ".").dropFirst().joined(separator: ".")),
        ]
        if identity.architecture == "x86_64" { facts["userspace_architecture"] = "x86_64" }
        if let id = text("/var/lib/dbus/machine-id") ?? text("/etc/machine-id") {
            facts["machine_id"] = .string(id.pythonLines.first ?? id)
        }
        return facts
    }

    /// The first name with a dot of the address that the node's own name stands for, else that address's first name:
    /// from `/etc/hosts`, then from `getent`.
    private func fullName(of node: String) -> String {
        let entries = lines("/etc/hosts").map { line in
            line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }.map(String.init)
        }
        if let address = entries.first(where: { $0.dropFirst().contains(node) })?.first,
            let names = entries.first(where: { $0.first == address })?.dropFirst() {
            return names.first { $0.contains(".") } ?? names.first ?? node
        }
        if node.contains(".") { return node }
        let words = output(["getent", "hosts", node])?.split(separator: "\n").first?
            .split { $0 == " " || $0 == "\t" }.dropFirst().map(String.init)
        return words?.first { $0.contains(".") } ?? words?.first ?? node
    }

    /// `lsb_release`'s knowledge: from its program when it is there, else from `/etc/lsb-release`.
    func lsb() -> Dict {
        var lsb = Dict()
        let quotes: Set<Character> = ["'", "\"", "\\"]
        func unquoted(_ text: String) -> Value {
            var part = text[...]
            while let first = part.first, quotes.contains(first) { part = part.dropFirst() }
            while let last = part.last, quotes.contains(last) { part = part.dropLast() }
            return .string(String(part))
        }
        func read(_ lines: [Substring], _ separator: Character, _ keys: [(String, String)]) {
            for line in lines {
                let halves = line.split(separator: separator, maxSplits: 1)
                guard halves.count == 2 else { continue }
                for (word, key) in keys where halves[0].trimmed == word { lsb[key] = unquoted(halves[1].trimmed) }
            }
        }
        if let text = output(["lsb_release", "-a"]) {
            read(
                text.split(separator: "\n"), ":",
                [
                    ("LSB Version", "release"), ("Distributor ID", "id"), ("Description", "description"),
                    ("Release", "release"), ("Codename", "codename"),
                ])
        }
        if lsb.isEmpty {
            read(
                lines("/etc/lsb-release"), "=",
                [
                    ("DISTRIB_ID", "id"), ("DISTRIB_RELEASE", "release"), ("DISTRIB_DESCRIPTION", "description"),
                    ("DISTRIB_CODENAME", "codename"),
                ])
        }
        if let release = lsb["release"]?.text {
            lsb["major_release"] = .string(release.split(separator: ".").first.map(String.init) ?? release)
        }
        return ["lsb": .dict(lsb)]
    }

    /// Whether the process's root is another than that of PID 1.
    func chroot() -> Dict {
        guard environmentValue("debian_chroot") == nil else { return ["is_chroot": true] }
        guard let mine = try? machine.status(of: "/", followingLinks: true) else { return ["is_chroot": .null] }
        if let first = try? machine.status(of: "/proc/1/root/.", followingLinks: true) {
            return ["is_chroot": .bool(mine.inode != first.inode || mine.device != first.device)]
        }
        return ["is_chroot": .bool(mine.inode != 2 && mine.inode != 128 && mine.inode != 256)]
    }

    func environmentValue(_ name: String) -> String? { context.environment[name] ?? machine.environment[name] }

    /// The environment that commands of the next tasks get.
    func environment() -> Dict {
        let all = machine.environment.merging(context.environment) { $1 }
        return ["env": .dict(Dict(all.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))]
    }

    func user() -> Dict {
        let identity = machine.identity
        let id = Int(identity.userID)
        let name = ["LOGNAME", "USER", "LNAME", "USERNAME"].lazy.compactMap(environmentValue).first { !$0.isEmpty }
        let entry = name.flatMap { try? machine.user(named: $0) } ?? (try? machine.user(id: identity.userID))
        var facts: Dict = [
            "user_id": .string(name ?? entry?.name ?? String(id)), "real_user_id": .int(id),
            "effective_user_id": .int(id), "real_group_id": .int(Int(identity.groupID)),
            "effective_group_id": .int(Int(identity.groupID)),
        ]
        if let entry {
            facts["user_uid"] = .int(Int(entry.id))
            facts["user_gid"] = .int(Int(entry.group))
            facts["user_gecos"] = .string(entry.comment)
            facts["user_dir"] = .string(entry.home)
            facts["user_shell"] = .string(entry.shell)
        }
        return facts
    }

    func dateTime() -> Dict {
        let now = machine.now
        let here = LocalTime(now)
        let utc = LocalTime(now, utc: true)
        func two(_ number: Int) -> String { LocalTime.digits(number, 2) }
        let compact = "\(here.year)\(two(here.month))\(two(here.day))T\(two(here.hour))\(two(here.minute))"
            + two(here.second)
        let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
        let west = abs(here.offset)
        // `%W`: weeks begin on Monday, the days before the first Monday are week 0.
        let week = (here.yearDay + 7 - (here.weekday + 6) % 7) / 7
        let micros = LocalTime.digits(utc.microsecond, 6)
        let facts: Dict = [
            "year": .string(String(here.year)), "month": .string(two(here.month)), "day": .string(two(here.day)),
            "weekday": .string(days[here.weekday % 7]), "weekday_number": .string(String(here.weekday)),
            "weeknumber": .string(two(week)), "hour": .string(two(here.hour)), "minute": .string(two(here.minute)),
            "second": .string(two(here.second)), "epoch": .string(String(Int(now))),
            "epoch_int": .string(String(Int(now))), "date": .string(here.date), "time": .string(here.time),
            "iso8601_micro": .string("\(utc.date)T\(utc.time).\(micros)Z"),
            "iso8601": .string("\(utc.date)T\(utc.time)Z"),
            "iso8601_basic": .string(compact + LocalTime.digits(here.microsecond, 6)),
            "iso8601_basic_short": .string(compact), "tz": .string(here.zone), "tz_dst": .string(here.summerZone),
            "tz_offset": .string((here.offset < 0 ? "-" : "+") + two(west / 3600) + two(west / 60 % 60)),
        ]
        return ["date_time": .dict(facts)]
    }

    func kernelCommandLine() -> Dict {
        guard let text = text("/proc/cmdline") else { return Dict() }
        var single = Dict()
        var multiple = Dict()
        for word in (try? ShellWords.split(text)) ?? [] {
            let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let value: Value = halves.count > 1 ? .string(halves[1]) : true
            single[halves[0]] = value
            switch multiple[halves[0]] {
            case nil: multiple[halves[0]] = value
            case .list(let list): multiple[halves[0]] = .list(list + [value])
            case .some(let first): multiple[halves[0]] = .list([first, value])
            }
        }
        return ["cmdline": .dict(single), "proc_cmdline": .dict(multiple)]
    }

    func loadAverage() -> Dict {
        let numbers = text("/proc/loadavg")?.split(separator: " ").prefix(3).compactMap { Double($0) } ?? []
        guard numbers.count == 3 else { return Dict() }
        return ["loadavg": ["1m": .double(numbers[0]), "5m": .double(numbers[1]), "15m": .double(numbers[2])]]
    }

    func sshHostKeys() -> Dict {
        var facts = Dict()
        for folder in ["/etc/ssh", "/etc/openssh", "/etc"] where facts.isEmpty {
            for kind in ["dsa", "rsa", "ecdsa", "ed25519"] {
                let words = text("\(folder)/ssh_host_\(kind)_key.pub")?.split(separator: " ").map(String.init) ?? []
                guard words.count > 1 else { continue }
                facts["ssh_host_key_\(kind)_public"] = .string(words[1])
                facts["ssh_host_key_\(kind)_public_keytype"] = .string(words[0])
            }
        }
        return facts
    }
}
