/// Variables that say how a host is reached, and that a play may set for tasks to come.
package let reachVariables = [
    "ansible_connection", "ansible_host", "ansible_user", "ansible_port", "ansible_password", "ansible_ssh_user",
    "ansible_ssh_host", "ansible_ssh_port", "ansible_ssh_pass", "ansible_ssh_private_key_file",
    "ansible_private_key_file",
]

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
