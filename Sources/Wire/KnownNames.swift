/// Variables that say how a host is reached, and that a play may set for tasks to come.
package let reachVariables = harmlessReach + [
    "ansible_connection", "ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_args",
    "ansible_ssh_host_key_checking", "ansible_host_key_checking", "ansible_docker_host",
]

/// Those of them that neither run something on the controller nor trust a stranger.
package let harmlessReach = [
    "ansible_host", "ansible_user", "ansible_port", "ansible_password", "ansible_ssh_user",
    "ansible_ssh_host", "ansible_ssh_port", "ansible_ssh_pass", "ansible_ssh_private_key_file",
    "ansible_private_key_file", "ansible_ssh_password",
]

/// Whether a variable can say how a host is reached: others are not looked at, and may hang on anything.
package func saysHowReached(_ name: String) -> Bool {
    [
        "ansible_connection", "ansible_host", "ansible_port", "ansible_user", "ansible_password", "ansible_ssh_",
        "ansible_openssh_", "ansible_docker_", "ansible_local_", "ansible_private_key", "ansible_timeout", "gantry_",
    ].contains(where: name.hasPrefix)
}

/// Magic variables that belong to a play, and are not among what `hostvars` has of a host.
package let playsOwnNames: Set<String> = [
    "ansible_dependent_role_names", "ansible_managed", "ansible_play_batch", "ansible_play_hosts",
    "ansible_play_hosts_all", "ansible_play_name", "ansible_play_role_names", "ansible_role_names", "play_hosts",
    "role_names",
]

/// Whether `hostvars` has that magic variable; names with `_` in front are between us.
package func isHostsMagic(_ name: String) -> Bool { !name.hasPrefix("_") && !playsOwnNames.contains(name) }

/// The module that gathers the facts of a network system, by Ansible's list.
package func networkFacts(for system: String) -> String? {
    let short = ["asa", "eos", "frr", "ios", "iosxr", "junos", "nxos", "vyos", "exos", "slxos", "voss", "ironware"]
    let full = [
        "cisco.asa.asa", "arista.eos.eos", "frr.frr.frr", "cisco.ios.ios", "cisco.iosxr.iosxr",
        "junipernetworks.junos.junos", "cisco.nxos.nxos", "vyos.vyos.vyos", "extreme.exos.exos",
        "extreme.slxos.slxos", "extreme.voss.voss", "community.network.ironware",
    ]
    if short.contains(system) { return "ansible.legacy.\(system)_facts" }
    return full.contains(system) ? "\(system)_facts" : nil
}
