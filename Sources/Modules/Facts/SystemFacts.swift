import Machine
import Values

extension FactSource {
    func selinux() -> Dict {
        var state: Dict = ["status": "disabled"]
        if let enforce = number("/sys/fs/selinux/enforce") {
            func setting(_ name: String) -> String? {
                lines("/etc/selinux/config").first { $0.hasPrefix(name + "=") }
                    .map { $0.dropFirst(name.utf8.count + 1).trimmed }
            }
            state = [
                "status": "enabled", "policyvers": number("/sys/fs/selinux/policyvers").map { .int($0) } ?? "unknown",
                "config_mode": .string(setting("SELINUX") ?? "unknown"),
                "mode": enforce == 1 ? "enforcing" : "permissive", "type": .string(setting("SELINUXTYPE") ?? "unknown"),
            ]
        }
        return ["selinux": .dict(state), "selinux_python_present": true]
    }

    func apparmor() -> Dict {
        ["apparmor": ["status": exists("/sys/kernel/security/apparmor") ? "enabled" : "disabled"]]
    }

    func fips() -> Dict { ["fips": .bool(text("/proc/sys/crypto/fips_enabled") == "1")] }

    /// A process with every capability has none enforced; otherwise `capsh` words what is left.
    func capabilities() -> Dict {
        func answer(_ enforced: Value, _ list: Value) -> Dict {
            ["system_capabilities_enforced": enforced, "system_capabilities": list]
        }
        guard machine.program("capsh") != nil else { return answer("N/A", "N/A") }
        let effective = lines("/proc/self/status").first { $0.hasPrefix("CapEff:") }
            .flatMap { UInt64($0.dropFirst(7).trimmed, radix: 16) }
        if let effective, let last = number("/proc/sys/kernel/cap_last_cap"), last < 63,
            effective == 1 << (last + 1) - 1
        {
            return answer("False", [])
        }
        let current = output(["capsh", "--print"])?.split(separator: "\n").first { $0.hasPrefix("Current:") }
        guard let words = current?.dropFirst(8).trimmed else { return answer("N/A", "N/A") }
        if words == "=ep" { return answer("False", []) }
        let list = words.split(separator: "=", omittingEmptySubsequences: false).dropFirst().first ?? ""
        return answer("True", .strings(list.split(separator: ",").map { $0.trimmed }))
    }

    func packageManager() -> Dict {
        let family = distribution()["os_family"]?.text
        if family == "RedHat" {
            if exists("/run/ostree-booted") { return ["pkg_mgr": "atomic_container"] }
            for path in ["/usr/bin/dnf", "/usr/bin/microdnf"] where exists(path) {
                return ["pkg_mgr": machine.realPath(of: path) == "/usr/bin/dnf5" ? "dnf5" : "dnf"]
            }
            return ["pkg_mgr": "unknown"]
        }
        if family == "Debian" { return ["pkg_mgr": "apt"] }
        // The last that is there wins, as in Ansible.
        let programs = [
            ("/usr/bin/rpm-ostree", "atomic_container"), ("/usr/bin/yum", "dnf"), ("/usr/bin/dnf-3", "dnf"),
            ("/usr/bin/dnf5", "dnf5"), ("/usr/bin/apt-get", family == "Altlinux" ? "apt_rpm" : "apt"),
            ("/usr/bin/zypper", "zypper"), ("/usr/sbin/urpmi", "urpmi"), ("/usr/bin/pacman", "pacman"),
            ("/bin/opkg", "opkg"), ("/sbin/apk", "apk"), ("/usr/bin/emerge", "portage"),
            ("/usr/bin/xbps-install", "xbps"), ("/usr/bin/swupd", "swupd"), ("/usr/sbin/sorcery", "sorcery"),
        ]
        return ["pkg_mgr": .string(programs.last { exists($0.0) }?.1 ?? "unknown")]
    }

    /// Whether systemd runs as PID 1, by systemd's own test.
    var runsSystemd: Bool {
        machine.program("systemctl") != nil
            && ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"].contains { exists($0) }
    }

    func serviceManager() -> Dict {
        let first = text("/proc/1/comm") ?? link("/sbin/init").map { baseName($0) }
        let known = ["procd": "openwrt_init", "runit-init": "runit", "svscan": "svc", "openrc-init": "openrc"]
        let name: String
        if let first, first != "init", !first.hasSuffix("sh") {
            name = known[first] ?? first
        } else if runsSystemd {
            name = "systemd"
        } else if machine.program("initctl") != nil && exists("/etc/init") {
            name = "upstart"
        } else if exists("/sbin/openrc") {
            name = "openrc"
        } else if machine.program("systemctl") != nil, let target = link("/sbin/init"), baseName(target) == "systemd" {
            name = "systemd"
        } else if exists("/etc/init.d") {
            name = "sysvinit"
        } else {
            name = exists("/etc/dinit.d") ? "dinit" : "service"
        }
        return ["service_mgr": .string(name)]
    }

    func systemd() -> Dict {
        guard runsSystemd else { return Dict() }
        if let (version, features) = systemdBuild() {
            return ["systemd": ["features": .string(features), "version": .int(version)]]
        }
        let lines = output(["systemctl", "--version"])?.split(separator: "\n") ?? []
        guard lines.count > 1, let version = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else {
            return Dict()
        }
        return ["systemd": ["features": .string(String(lines[1])), "version": .int(version)]]
    }

    /// What `systemctl --version` would say, from systemd's library, which has the version in its name and holds the
    /// features as one text: starting the program takes several times as long. Not where there are several versions.
    private func systemdBuild() -> (version: Int, features: String)? {
        let kind = machine.identity.architecture
        let folders = ["/usr/lib/systemd", "/usr/lib/\(kind)-linux-gnu/systemd", "/usr/lib64/systemd"]
        let start = "libsystemd-shared-"
        let found = folders.flatMap { folder in
            names(folder).filter { $0.hasPrefix(start) && $0.hasSuffix(".so") }.map { folder + "/" + $0 }
        }
        guard found.count == 1,
            let version = Int(baseName(found[0]).dropFirst(start.utf8.count).prefix { $0.isNumber }),
            let program = machine.program("systemctl"), ["/usr/bin", "/bin"].contains(splitPath(program).folder)
        else { return nil }
        var texts: [String] = []
        var rest: [UInt8] = []
        _ = try? machine.read(found[0]) { piece in
            rest += piece
            texts += Self.features(in: rest)
            // A text may go on in the next piece.
            rest = Array(rest.suffix(Self.featuresLimit))
        }
        return Set(texts).count == 1 ? (version, texts[0]) : nil
    }

    private static let featuresLimit = 2048

    /// Texts of the form `+PAM -AUDIT …` between two zeros. They are long: a look at every 64th byte finds each.
    private static func features(in bytes: [UInt8]) -> [String] {
        var texts: [String] = []
        for index in stride(from: 0, to: bytes.count, by: 64) {
            var start = index
            while start > 0, index - start < featuresLimit, isOfFeature(bytes[start]) { start -= 1 }
            let rest = bytes[start...].prefix(featuresLimit)
            guard bytes[start] == 0, start < index, let end = rest.dropFirst().firstIndex(of: 0) else { continue }
            let text = String(decoding: bytes[(start + 1)..<end], as: UTF8.self)
            if text.hasPrefix("+PAM ") || text.hasPrefix("-PAM ") { texts.append(text) }
        }
        return texts
    }

    private static func isOfFeature(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"),
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: " "):
            true
        default: false
        }
    }

    func dns() -> Dict {
        var dns = Dict()
        for line in lines("/etc/resolv.conf") where !line.hasPrefix("#") && !line.hasPrefix(";") {
            let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
            guard let keyword = words.first else { continue }
            let rest = Array(words.dropFirst())
            switch keyword {
            case "nameserver": dns["nameservers"] = .list((dns["nameservers"]?.list ?? []) + rest.map { .string($0) })
            case "domain": if let name = rest.first { dns["domain"] = .string(name) }
            case "search", "sortlist": dns[keyword] = .strings(rest)
            case "options":
                dns["options"] = .dict(
                    Dict(
                        rest.map { word in
                            let halves = word.split(separator: ":", maxSplits: 1).map(String.init)
                            return (halves.first ?? word, halves.count > 1 ? .string(halves[1]) : true)
                        }))
            default: break
            }
        }
        return ["dns": .dict(dns)]
    }

    func fibreChannel() -> Dict {
        let names = names("/sys/class/fc_host").compactMap { host in
            text("/sys/class/fc_host/\(host)/port_name").map { $0.hasPrefix("0x") ? String($0.dropFirst(2)) : $0 }
        }
        return ["fibre_channel_wwn": .strings(names)]
    }

    func iscsi() -> Dict {
        let name = lines("/etc/iscsi/initiatorname.iscsi").first { $0.hasPrefix("InitiatorName=") }
        return ["iscsi_iqn": .string(name?.dropFirst("InitiatorName=".utf8.count).trimmed ?? "")]
    }

    func nvme() -> Dict { ["hostnqn": .string(text("/etc/nvme/hostnqn") ?? "")] }
}
