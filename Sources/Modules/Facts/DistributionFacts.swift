import Machine
import Patterns
import Values

extension FactSource {
    /// Which distribution this is: a guess from `os-release`, then what the distribution's own files say.
    func distribution() -> Dict {
        let release = osRelease()
        var facts = guess(release)
        for (path, name) in Self.releaseFiles {
            guard let status = try? machine.status(of: path, followingLinks: true) else { continue }
            if name == "Archlinux" && path == "/etc/arch-release" || name == "VMwareESX" {
                facts["distribution"] = .string(name)
                facts["distribution_file_path"] = .string(path)
                facts["distribution_file_variety"] = .string(name)
                break
            }
            guard status.size > 0, let text = text(path), let found = parsed(text, as: name, path, release, facts)
            else {
                continue
            }
            facts["distribution"] = .string(name)
            facts["distribution_file_path"] = .string(path)
            facts["distribution_file_variety"] = .string(name)
            facts["distribution_file_parsed"] = true
            for (key, value) in found { facts[key] = value }
            break
        }
        let name = facts["distribution"]?.text ?? "Linux"
        facts["os_family"] = .string(Self.families.first { $0.value.contains(name) }?.key ?? name)
        return facts
    }

    private static let releaseFiles: [(String, String)] = [
        ("/etc/altlinux-release", "Altlinux"), ("/etc/oracle-release", "OracleLinux"),
        ("/etc/slackware-version", "Slackware"), ("/etc/centos-release", "CentOS"), ("/etc/redhat-release", "RedHat"),
        ("/etc/vmware-release", "VMwareESX"), ("/etc/openwrt_release", "OpenWrt"), ("/etc/os-release", "Amazon"),
        ("/etc/system-release", "Amazon"), ("/etc/alpine-release", "Alpine"), ("/etc/arch-release", "Archlinux"),
        ("/etc/os-release", "Archlinux"), ("/etc/os-release", "SUSE"), ("/etc/SuSE-release", "SUSE"),
        ("/etc/gentoo-release", "Gentoo"), ("/etc/os-release", "Debian"), ("/etc/lsb-release", "Debian"),
        ("/etc/os-release", "Flatcar"), ("/etc/os-release", "NA"),
    ]

    private static let families: [String: [String]] = [
        "RedHat": [
            "RedHat", "RHEL", "Fedora", "CentOS", "Scientific", "SLC", "Ascendos", "CloudLinux", "PSBM", "OracleLinux",
            "OVS", "OEL", "Amazon", "Amzn", "Virtuozzo", "XenServer", "Alibaba", "EulerOS", "openEuler", "AlmaLinux",
            "Rocky", "TencentOS", "EuroLinux", "Kylin Linux Advanced Server", "MIRACLE",
        ],
        "Debian": [
            "Debian", "Ubuntu", "Raspbian", "Neon", "KDE neon", "Linux Mint", "SteamOS", "Devuan", "Kali",
            "Cumulus Linux", "Pop!_OS", "Parrot", "Pardus GNU/Linux", "Uos", "Deepin", "OSMC",
            "Linux Mint Debian Edition",
        ],
        "Suse": [
            "SuSE", "SLES", "SLED", "openSUSE", "openSUSE Tumbleweed", "SLES_SAP", "SUSE_LINUX", "openSUSE Leap",
            "ALP-Dolomite", "SL-Micro", "openSUSE MicroOS",
        ],
        "Archlinux": ["Archlinux", "Antergos", "Manjaro"], "Mandrake": ["Mandrake", "Mandriva"],
        "Gentoo": ["Gentoo", "Funtoo"], "ClearLinux": ["Clear Linux OS", "Clear Linux Mix"],
    ]

    private func osRelease() -> [String: String] {
        var values: [String: String] = [:]
        let path = exists("/etc/os-release") ? "/etc/os-release" : "/usr/lib/os-release"
        for line in lines(path) where !line.hasPrefix("#") {
            let halves = line.split(separator: "=", maxSplits: 1)
            guard halves.count == 2 else { continue }
            values[halves[0].trimmed] = (try? ShellWords.split(String(halves[1])))?.joined(separator: " ") ?? ""
        }
        return values
    }

    private func guess(_ release: [String: String]) -> Dict {
        let id = release["ID"] ?? ""
        let names = ["amzn": "Amazon", "rhel": "Redhat", "": "OtherLinux"]
        let name = names[id] ?? id.prefix(1).uppercased() + id.dropFirst().lowercased()
        var version = release["VERSION_ID"] ?? ""
        // These two name their point release elsewhere.
        if id == "debian", let exact = text("/etc/debian_version"), exact.first?.isNumber == true { version = exact }
        if id == "centos", let exact = first("release ([0-9.]+)", in: text("/etc/centos-release") ?? "") {
            version = exact
        }
        let code =
            release["VERSION_CODENAME"] ?? release["UBUNTU_CODENAME"]
            ?? first("\\(([^)]+)\\)", in: release["VERSION"] ?? "")
        let major = version.split(separator: ".").first.map(String.init) ?? ""
        return [
            "distribution": .string(name), "distribution_version": .string(version.isEmpty ? "NA" : version),
            "distribution_release": .string(code ?? (release.isEmpty ? "NA" : "")),
            "distribution_major_version": .string(major.isEmpty ? "NA" : major),
        ]
    }

    /// The first group of the first match.
    private func first(_ pattern: String, in text: String) -> String? {
        guard let found = try? Pattern(pattern, .multiline).search(text) else { return nil }
        return found.group(1)
    }

    /// What a release file adds when it is of the distribution named; `nil` when it is not.
    private func parsed(
        _ text: String, as name: String, _ path: String, _ release: [String: String], _ known: Dict
    ) -> Dict? {
        switch name {
        case "Altlinux", "OracleLinux", "RedHat":
            let words = ["Altlinux": "ALT", "OracleLinux": "Oracle Linux", "RedHat": "Red Hat"]
            if let word = words[name], text.contains(word) {
                return ["distribution": .string(name), "distribution_file_search_string": .string(word)]
            }
            return ["distribution": .string(text.split { $0.isWhitespace }.first.map(String.init) ?? name)]
        case "CentOS":
            if text.contains("CentOS Stream") { return ["distribution_release": "Stream"] }
            return text.contains("TencentOS Server") ? ["distribution": "TencentOS"] : nil
        case "Slackware":
            guard text.contains("Slackware") else { return nil }
            return first("(\\w+[.]\\w+\\+?)", in: text).map { ["distribution_version": .string($0)] } ?? Dict()
        case "OpenWrt":
            guard text.contains("OpenWrt") else { return nil }
            var found = Dict()
            found["distribution_version"] = first("DISTRIB_RELEASE=[\"'](.*)[\"']", in: text).map { .string($0) }
            found["distribution_release"] = first("DISTRIB_CODENAME=[\"'](.*)[\"']", in: text).map { .string($0) }
            return found
        case "Amazon": return amazon(text, path)
        case "Alpine": return ["distribution_version": .string(text)]
        case "Archlinux": return text.contains("Arch Linux") ? Dict() : nil
        case "SUSE": return suse(text, path, release)
        case "Gentoo": return Dict()
        case "Debian": return debian(text, path, known)
        case "Flatcar":
            guard release["ID"] == "flatcar", let version = release["VERSION"] else { return nil }
            return versions(version)
        default:
            var found = Dict()
            if let word = release["NAME"] { found["distribution"] = .string(word) }
            if known["distribution_version"] == "NA", let version = release["VERSION"] {
                found["distribution_version"] = .string(version)
            }
            return found
        }
    }

    private func versions(_ version: String) -> Dict {
        let major = version.split(separator: ".").first.map(String.init) ?? version
        return ["distribution_version": .string(version), "distribution_major_version": .string(major)]
    }

    private func amazon(_ text: String, _ path: String) -> Dict? {
        guard text.contains("Amazon") else { return nil }
        guard path == "/etc/os-release" else {
            let number = text.split { $0.isWhitespace }.first { $0.allSatisfy(\.isNumber) }
            return ["distribution_version": .string(number.map(String.init) ?? "NA")]
        }
        guard let version = first("VERSION_ID=\"(.*)\"", in: text) else { return Dict() }
        var found = versions(version)
        let parts = version.split(separator: ".")
        found["distribution_minor_version"] = .string(parts.count > 1 ? String(parts[1]) : "NA")
        return found
    }

    private func suse(_ text: String, _ path: String, _ release: [String: String]) -> Dict? {
        guard text.lowercased().contains("suse") else { return nil }
        var found = Dict()
        if path == "/etc/os-release", let version = release["VERSION_ID"] {
            found = versions(version)
            found["distribution"] = release["NAME"].map { .string($0) }
            let minor = version.split(separator: ".").dropFirst().first.map(String.init)
            if text.lowercased().contains("open") {
                found["distribution_release"] = .string(minor ?? "")
            } else {
                found["distribution_release"] = .string(minor ?? "0")
            }
        }
        switch release["VARIANT_ID"] {
        case "server-sap", "sles-sap": found["distribution"] = "SLES_SAP"
        case "transactional": found["distribution"] = "SL-Micro"
        default:
            let product = machine.realPath(of: "/etc/products.d/baseproduct") ?? ""
            if product.hasSuffix("SLES_SAP.prod") { found["distribution"] = "SLES_SAP" }
            if product.hasSuffix("SL-Micro.prod") { found["distribution"] = "SL-Micro" }
        }
        return found
    }

    private func debian(_ text: String, _ path: String, _ known: Dict) -> Dict? {
        var found = Dict()
        func take(_ key: String, _ pattern: String) {
            if let value = first(pattern, in: text) { found[key] = .string(value) }
        }
        func has(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if has("Debian", "Raspbian") {
            found["distribution"] = "Debian"
            take("distribution_release", "PRETTY_NAME=[^(]+ \\(?([^)]+?)\\)")
            if let minor = first("\\d+\\.(\\d+)", in: self.text("/etc/debian_version") ?? "") {
                found["distribution_minor_version"] = .string(minor)
            }
        } else if has("Ubuntu") {
            found["distribution"] = "Ubuntu"
        } else if has("SteamOS") {
            found["distribution"] = "SteamOS"
        } else if has("Kali", "Parrot") {
            found["distribution"] = has("Kali") ? "Kali" : "Parrot"
            take("distribution_release", "DISTRIB_RELEASE=(.*)")
        } else if has("Devuan") {
            take("distribution_version", "VERSION_ID=\"(.*)\"")
            found["distribution_major_version"] = found["distribution_version"]
            found["distribution"] = "Devuan"
            take("distribution_release", "PRETTY_NAME=\"?[^(\"]+ \\(?([^) \"]+)\\)?")
        } else {
            let others: [(String, [String])] = [
                ("Cumulus Linux", ["Cumulus"]), ("Linux Mint", ["Mint"]), ("Uos", ["UOS", "Uos", "uos"]),
                ("Deepin", ["Deepin", "deepin"]), ("Linux Mint Debian Edition", ["LMDE"]),
            ]
            guard let name = others.first(where: { $0.1.contains { text.contains($0) } })?.0 else { return nil }
            if let version = first("VERSION_ID=\"?([^\"\n]*)\"?", in: text) { found = versions(version) }
            found["distribution"] = .string(name)
            if name == "Uos" || name == "Deepin" { take("distribution_release", "VERSION_CODENAME=\"?([^\"\n]+)\"?") }
        }
        return found
    }
}
