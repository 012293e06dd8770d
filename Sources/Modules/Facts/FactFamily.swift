import Values

/// One collector: a name of `gather_subset` with the names that stand for it.
struct FactFamily: Sendable {
    let name: String
    /// Other words of `gather_subset` that select it.
    let aliases: [String]
    /// Gathered unless `!min` is given.
    let isMinimal: Bool
    /// Families whose facts come along.
    let needs: [String]
    /// Its facts, named without `ansible_`.
    let collect: @Sendable (inout FactSource) -> Dict

    init(
        _ name: String, _ aliases: [String] = [], minimal: Bool = false, needs: [String] = [],
        collect: @escaping @Sendable (inout FactSource) -> Dict
    ) {
        self.name = name
        self.aliases = aliases
        isMinimal = minimal
        self.needs = needs
        self.collect = collect
    }

    /// In the order in which facts appear.
    static let all: [FactFamily] = [
        FactFamily(
            "platform",
            ["system", "kernel", "kernel_version", "machine", "architecture", "machine_id"],
            minimal: true, collect: { $0.platform() }),
        FactFamily(
            "distribution",
            ["distribution_version", "distribution_release", "distribution_major_version", "os_family"],
            minimal: true, collect: { $0.distribution() }),
        FactFamily("lsb", minimal: true, collect: { $0.lsb() }),
        FactFamily("selinux", minimal: true, collect: { $0.selinux() }),
        FactFamily("apparmor", minimal: true, collect: { $0.apparmor() }),
        FactFamily("chroot", ["is_chroot"], collect: { $0.chroot() }),
        FactFamily("fips", minimal: true, collect: { $0.fips() }),
        FactFamily("python", ["python_version"], minimal: true, collect: { $0.python() }),
        FactFamily(
            "caps", ["system_capabilities", "system_capabilities_enforced"], minimal: true,
            collect: { $0.capabilities() }),
        FactFamily("pkg_mgr", minimal: true, needs: ["distribution"], collect: { $0.packageManager() }),
        FactFamily(
            "service_mgr", minimal: true, needs: ["platform", "distribution"], collect: { $0.serviceManager() }),
        FactFamily("cmdline", minimal: true, collect: { $0.kernelCommandLine() }),
        FactFamily("date_time", minimal: true, collect: { $0.dateTime() }),
        FactFamily("env", minimal: true, collect: { $0.environment() }),
        FactFamily("loadavg", collect: { $0.loadAverage() }),
        FactFamily(
            "ssh_pub_keys",
            [
                "ssh_host_pub_keys", "ssh_host_key_dsa_public", "ssh_host_key_rsa_public", "ssh_host_key_ecdsa_public",
                "ssh_host_key_ed25519_public",
            ], minimal: true, collect: { $0.sshHostKeys() }),
        FactFamily(
            "user",
            [
                "user_id", "user_uid", "user_gid", "user_gecos", "user_dir", "user_shell", "real_user_id",
                "effective_user_id", "effective_group_ids",
            ], minimal: true, collect: { $0.user() }),
        FactFamily("systemd", collect: { $0.systemd() }),
        FactFamily(
            "virtual",
            [
                "virtualization_type", "virtualization_role", "virtualization_tech_guest", "virtualization_tech_host",
            ], collect: { $0.virtualization() }),
        FactFamily(
            "hardware", ["processor", "processor_cores", "processor_count", "mounts", "devices"], needs: ["platform"],
            collect: { $0.hardware() }),
        FactFamily("dns", minimal: true, collect: { $0.dns() }),
        FactFamily("fibre_channel_wwn", collect: { $0.fibreChannel() }),
        FactFamily(
            "network", ["interfaces", "default_ipv4", "default_ipv6", "all_ipv4_addresses", "all_ipv6_addresses"],
            needs: ["platform", "distribution"], collect: { $0.network() }),
        FactFamily("iscsi", collect: { $0.iscsi() }),
        FactFamily("nvme", collect: { $0.nvme() }),
        FactFamily("local", minimal: true, collect: { $0.local() }),
        FactFamily("facter", collect: { _ in Dict() }),
        FactFamily("ohai", collect: { _ in Dict() }),
    ]

    /// The families that a `gather_subset` selects.
    static func selected(by subsets: [String]) throws(Failure) -> [FactFamily] {
        let minimal = Set(all.filter(\.isMinimal).map(\.name))
        let valid = Set(all.flatMap { [$0.name] + $0.aliases })
        var added = minimal
        var excluded: Set<String> = []
        var explicit: Set<String> = []
        for subset in subsets {
            switch subset {
            case "min": added.formUnion(minimal)
            case "all": added.formUnion(valid)
            case "!min": excluded.formUnion(minimal)
            case "!all": excluded.formUnion(valid.subtracting(minimal))
            case let name where name.hasPrefix("!"):
                let name = String(name.dropFirst())
                excluded.insert(name)
                excluded.formUnion(all.first { $0.name == name }?.aliases ?? [])
            default:
                guard valid.contains(subset) else {
                    throw Failure(
                        "Bad subset '\(subset)' given to Ansible. gather_subset options allowed: all, "
                            + valid.sorted().joined(separator: ", "))
                }
                explicit.insert(subset)
                added.insert(subset)
            }
        }
        added.subtract(excluded.subtracting(explicit))
        var chosen = Set(all.filter { added.contains($0.name) || !added.isDisjoint(with: $0.aliases) }.map(\.name))
        for family in all where chosen.contains(family.name) { chosen.formUnion(family.needs) }
        return all.filter { chosen.contains($0.name) }
    }
}
