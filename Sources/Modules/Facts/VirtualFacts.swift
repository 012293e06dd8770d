import Machine
import Values

/// What the node runs in and what it can host: the first finding names the type, all are listed.
private struct VirtualFindings {
    var type: String?
    var role: String?
    var guest: Set<String> = []
    var host: Set<String> = []

    mutating func found(guest name: String, as type: String? = nil) {
        guest.insert(name)
        settle(type ?? name, "guest")
    }
    mutating func found(host name: String) {
        host.insert(name)
        settle(name, "host")
    }
    mutating func settle(_ type: String, _ role: String) {
        if self.type == nil { (self.type, self.role) = (type, role) }
    }
}

extension FactSource {
    func virtualization() -> Dict {
        var findings = VirtualFindings()
        containers(&findings)
        xen(&findings)
        firmware(&findings)
        processors(&findings)
        modules(&findings)
        return [
            "virtualization_type": .string(findings.type ?? "NA"),
            "virtualization_role": .string(findings.role ?? "NA"),
            "virtualization_tech_guest": .strings(findings.guest.sorted()),
            "virtualization_tech_host": .strings(findings.host.sorted()),
        ]
    }

    private func containers(_ findings: inout VirtualFindings) {
        for line in lines("/proc/1/cgroup") {
            if isDockerGroup(line) { findings.found(guest: "docker") }
            if line.contains("/lxc/") || line.contains("/machine.slice/machine-lxc") { findings.found(guest: "lxc") }
            if line.contains("/system.slice/containerd.service") { findings.found(guest: "containerd") }
        }
        for entry in (whole("/proc/1/environ") ?? "").split(separator: "\0") {
            if entry.contains("container=lxc") { findings.found(guest: "lxc") }
            if entry.contains("container=podman") { findings.found(guest: "podman") }
            if entry.hasPrefix("container="), entry.count > 10 { findings.found(guest: "container") }
        }
        if exists("/proc/vz"), !exists("/proc/lve") {
            if exists("/proc/bc") { findings.found(host: "openvz") } else { findings.found(guest: "openvz") }
        }
        let named = text("/run/systemd/container")
        if let named { findings.found(guest: named) }
        if exists("/.dockerenv") || exists("/.dockerinit") { findings.found(guest: "docker") }
        if named != nil || !findings.guest.isDisjoint(with: ["docker", "lxc", "podman", "openvz", "containerd"]) {
            findings.guest.insert("container")
        }
    }

    /// `/docker/…`, or a scope `/docker-<hex>.scope`.
    private func isDockerGroup(_ line: Substring) -> Bool {
        if line.contains("/docker/") { return true }
        return line.split(separator: "/").contains { part in
            part.hasPrefix("docker-") && part.hasSuffix(".scope")
                && part.dropFirst(7).dropLast(6).allSatisfy(\.isHexDigit)
        }
    }

    private func xen(_ findings: inout VirtualFindings) {
        guard exists("/proc/xen") else { return }
        if lines("/proc/xen/capabilities").contains(where: { $0.contains("control_d") }) {
            findings.found(host: "xen")
        } else {
            findings.settle("xen", "guest")
        }
    }

    private func firmware(_ findings: inout VirtualFindings) {
        let folder = "/sys/devices/virtual/dmi/id/"
        let product = text(folder + "product_name") ?? ""
        let vendor = text(folder + "sys_vendor") ?? ""
        let bios = text(folder + "bios_vendor") ?? ""
        if ["KVM", "KVM Server", "Bochs", "AHV", "CloudStack KVM Hypervisor"].contains(product) {
            findings.found(guest: "kvm")
        }
        if vendor == "oVirt" { findings.found(guest: "oVirt") }
        if vendor == "Red Hat" {
            if text(folder + "product_family") == "RHV" {
                findings.found(guest: "RHV")
            } else if product == "RHEV Hypervisor" {
                findings.found(guest: "RHEV")
            }
        }
        if product.hasPrefix("VMware") { findings.found(guest: "VMware") }
        if product == "OpenStack Compute" || product == "OpenStack Nova" { findings.found(guest: "openstack") }
        if bios == "Xen" { findings.found(guest: "xen") }
        if bios == "innotek GmbH" { findings.found(guest: "virtualbox") }
        if ["Amazon EC2", "DigitalOcean", "Hetzner", "Linode"].contains(bios) { findings.found(guest: "kvm") }
        if ["QEMU", "Amazon EC2", "DigitalOcean", "Google", "Scaleway", "Nutanix"].contains(vendor) {
            findings.found(guest: "kvm")
        }
        if vendor == "KubeVirt" { findings.found(guest: "KubeVirt") }
        if vendor == "Microsoft Corporation" { findings.found(guest: "VirtualPC") }
        if vendor == "Parallels Software International Inc." { findings.found(guest: "parallels") }
        if vendor == "OpenStack Foundation" { findings.found(guest: "openstack") }
        if product.contains("BHYVE") { findings.found(guest: "bhyve") }
    }

    private func processors(_ findings: inout VirtualFindings) {
        for line in lines("/proc/cpuinfo") {
            if line.hasPrefix("model name") {
                if line.contains("QEMU Virtual CPU") { findings.found(guest: "kvm") }
                if line.contains("UML") { findings.found(guest: "uml") }
            } else if line.hasPrefix("vendor_id") {
                if line.contains("User Mode Linux") { findings.found(guest: "uml") }
                if line.contains("PowerVM Lx86") { findings.found(guest: "powervm_lx86") }
                if line.contains("IBM/S390") {
                    findings.guest.insert("PR/SM")
                    findings.settle("PR/SM", "LPAR")
                }
            } else if line.hasPrefix("machine"), line.contains("CHRP IBM pSeries (emulated by qemu)") {
                findings.found(guest: "kvm")
            }
        }
    }

    private func modules(_ findings: inout VirtualFindings) {
        let modules = Set(lines("/proc/modules").compactMap { $0.split(separator: " ").first.map(String.init) })
        if modules.contains("kvm") { findings.found(host: "kvm") }
        if modules.contains("vboxdrv") { findings.found(host: "virtualbox") }
        if modules.contains("virtio") {
            findings.host.insert("kvm")
            findings.settle("kvm", "guest")
        }
        if exists("/dev/kvm") { findings.found(host: "kvm") }
    }
}
