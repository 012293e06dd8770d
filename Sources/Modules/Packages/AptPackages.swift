import Machine
import Values

/// `apt`: Debian packages.
struct AptPackages: Action {
    enum State: String, CaseIterable, Choice {
        case absent
        case buildDep = "build-dep"
        case fixed, latest, present
    }
    enum Upgrade: String, CaseIterable, Choice { case dist, full, no, safe, yes }

    var packages: [String]?
    var state = State.present
    var updateCache: Bool?
    var updateCacheRetries = 5
    var updateCacheRetryMaxDelay = 12
    var cacheValidTime = 0
    var purge = false
    var deb: String?
    var defaultRelease: String?
    var installRecommends: Bool?
    var force = false
    var upgrade = Upgrade.no
    var dpkgOptions = "force-confdef,force-confold"
    var autoremove = false
    var autoclean = false
    var clean = false
    var failOnAutoremove = false
    var policyRcD: Int?
    var onlyUpgrade = false
    var forceAptGet = false
    var allowUnauthenticated = false
    var allowDowngrade = false
    var allowChangeHeldPackages = false
    var lockTimeout = 60
    var autoInstallModuleDeps = true
    init() {}

    static let schema = Schema<AptPackages>(
        "apt", "Manages Debian packages.", rows + moreRows,
        options: SchemaOptions(
            mutuallyExclusive: [["deb", "package", "upgrade"]],
            returns: [
                ("cache_updated", "Whether the package lists were updated."),
                ("cache_update_time", "When they were, in seconds since 1970."), ("stdout", "What apt-get printed."),
                ("stderr", "Its errors."),
            ],
            examples: """
                - name: Packages, with lists at most an hour old
                  ansible.builtin.apt:
                    name: [nginx, "postgresql=15*"]
                    cache_valid_time: 3600

                - name: A package from a file
                  ansible.builtin.apt:
                    deb: https://example.org/app_1.2_amd64.deb

                - name: Everything up to date
                  ansible.builtin.apt:
                    update_cache: true
                    upgrade: dist
                """,
            notes: [
                "What is installed is read from dpkg's status file: no program is started when nothing is to be done.",
                "The node needs no python3-apt.",
            ]))

    private static let rows: [Parameter<AptPackages>] = [
        Parameter(
            "package", \.packages, aliases: ["pkg", "name"],
            "Packages: names, name=version with globs, name>=version, globs of names, or '*' with state latest."),
        Parameter("state", \.state, default: "present", "What is wanted."),
        Parameter("update_cache", \.updateCache, aliases: ["update-cache"], "Update the package lists first."),
        Parameter("update_cache_retries", \.updateCacheRetries, default: "5", "Tries before an update fails."),
        Parameter(
            "update_cache_retry_max_delay", \.updateCacheRetryMaxDelay, default: "12",
            "Longest wait between two tries, in seconds."),
        Parameter(
            "cache_valid_time", \.cacheValidTime, default: "0",
            "Update the lists only when they are older than this many seconds."),
        Parameter("purge", \.purge, default: "false", "Remove configuration files too."),
        Parameter("deb", \.deb, "A .deb file on the node, or its address; several with commas."),
        Parameter(
            "default_release", \.defaultRelease, aliases: ["default-release"], "The release to prefer, as apt-get -t."),
        Parameter(
            "install_recommends", \.installRecommends, aliases: ["install-recommends"],
            "Install recommended packages too; unset leaves it to apt's configuration."),
        Parameter("force", \.force, default: "false", "Allow downgrades, held packages and unauthenticated ones."),
        Parameter("upgrade", \.upgrade, default: "no", "Upgrade all packages: yes or safe, full, dist."),
        Parameter(
            "dpkg_options", \.dpkgOptions, default: "force-confdef,force-confold", "Options for dpkg, with commas."),
    ]

    private static let moreRows: [Parameter<AptPackages>] = [
        Parameter("autoremove", \.autoremove, default: "false", "Remove what was installed for others only."),
        Parameter("autoclean", \.autoclean, default: "false", "Remove archives that can no longer be fetched."),
        Parameter("clean", \.clean, default: "false", "Remove all fetched archives."),
        Parameter(
            "fail_on_autoremove", \.failOnAutoremove, default: "false", "Fail rather than remove packages."),
        Parameter(
            "policy_rc_d", \.policyRcD, "Status of a policy-rc.d while packages are installed: 101 starts nothing."),
        Parameter("only_upgrade", \.onlyUpgrade, default: "false", "Only upgrade what is installed already."),
        Parameter("force_apt_get", \.forceAptGet, default: "false", "Never use aptitude."),
        Parameter(
            "allow_unauthenticated", \.allowUnauthenticated, aliases: ["allow-unauthenticated"], default: "false",
            "Do not require signatures."),
        Parameter(
            "allow_downgrade", \.allowDowngrade,
            aliases: ["allow-downgrade", "allow_downgrades", "allow-downgrades"], default: "false",
            "Allow an older version than the installed one."),
        Parameter(
            "allow_change_held_packages", \.allowChangeHeldPackages, default: "false", "Change packages on hold."),
        Parameter("lock_timeout", \.lockTimeout, default: "60", "Seconds to wait for another apt to end."),
        Parameter(
            "auto_install_module_deps", \.autoInstallModuleDeps, default: "true", "Has no effect: nothing is needed."),
    ]

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        guard let status = try attempt({ () throws(MachineError) in try DpkgStatus(on: machine) }),
            machine.program("apt-get") != nil
        else { throw Failure("apt-get and dpkg are needed on the node: this is not a Debian system") }
        var apt = AptTool(self, machine, context, status)
        if clean {
            let cleaned = try apt.cleanArchives()
            if packages?.isEmpty ?? true, upgrade == .no, deb == nil { return cleaned }
        }
        let updated = try apt.updateLists()
        let names = (packages ?? []).map(\.trimmed).filter { !$0.isEmpty }
        if updateCache == true || cacheValidTime > 0, packages == nil, upgrade == .no, deb == nil {
            if !autoclean && !autoremove { return Outcome(changed: updated, apt.cacheKeys) }
        }
        if upgrade != .no { return try apt.upgradeAll(upgrade) }
        if let deb {
            guard state == .present else { throw Failure("deb only supports state=present") }
            return try apt.installFiles(deb.split(separator: ",").map { $0.trimmed })
        }
        if names.contains("*"), state == .latest {
            guard names == ["*"] else {
                throw Failure("unable to install additional packages when upgrading all installed packages")
            }
            return try apt.upgradeAll(.yes)
        }
        let specs = try names.filter { $0 != "*" }.map { (name) throws(Failure) in try PackageSpec(name) }
        if specs.isEmpty {
            if autoclean { return try apt.tidy("autoclean") }
            if autoremove { return try apt.tidy("autoremove") }
            return Outcome(apt.cacheKeys)
        }
        return state == .absent ? try apt.remove(specs) : try apt.install(specs)
    }
}

/// `name`, `name=version` or `name>=version`; name and version may be globs.
struct PackageSpec: Hashable {
    var name: String
    /// `=`, `>=` or nothing.
    var relation: String
    var version: String

    init(_ text: String) throws(Failure) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        guard parts.count < 3 else { throw Failure("invalid package spec: \(text)") }
        guard parts.count == 2 else {
            (name, relation, version) = (text, "", "")
            return
        }
        let atLeast = parts[0].hasSuffix(">")
        name = atLeast ? String(parts[0].dropLast()) : parts[0]
        relation = atLeast ? ">=" : "="
        version = parts[1]
    }

    var text: String { name + relation + version }
    var nameIsGlob: Bool { name.contains { "*?[]!".contains($0) } }
    var versionIsGlob: Bool { version.contains { "*?[".contains($0) } }
}
