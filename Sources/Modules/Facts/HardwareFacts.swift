import Glibc
import Machine
import Values

extension FactSource {
    mutating func hardware() -> Dict {
        var facts = processor()
        for part in [memory(), firmwareNames(), devices(), volumeGroups(), mounts()] { facts.merge(part) { $1 } }
        if let uptime = text("/proc/uptime")?.split(separator: " ").first.flatMap({ Double($0) }) {
            facts["uptime_seconds"] = .int(Int(uptime))
        }
        return facts
    }

    private func memory() -> Dict {
        var found: [String: Int] = [:]
        for line in lines("/proc/meminfo") {
            let halves = line.split(separator: ":", maxSplits: 1)
            guard halves.count == 2, let number = halves[1].split(separator: " ").first.flatMap({ Int($0) }) else {
                continue
            }
            found[String(halves[0])] = number / 1024
        }
        guard let total = found["MemTotal"], let free = found["MemFree"] else { return Dict() }
        let swap = (total: found["SwapTotal"] ?? 0, free: found["SwapFree"] ?? 0)
        let unused = free + (found["Cached"] ?? 0) + (found["Buffers"] ?? 0)
        return [
            "memtotal_mb": .int(total), "memfree_mb": .int(free), "swaptotal_mb": .int(swap.total),
            "swapfree_mb": .int(swap.free),
            "memory_mb": [
                "real": ["total": .int(total), "used": .int(total - free), "free": .int(free)],
                "nocache": ["free": .int(unused), "used": .int(total - unused)],
                "swap": [
                    "total": .int(swap.total), "free": .int(swap.free), "used": .int(swap.total - swap.free),
                    "cached": .int(found["SwapCached"] ?? 0),
                ],
            ],
        ]
    }

    private func processor() -> Dict {
        var facts = Dict()
        var processors: [Value] = []
        var counts: [String: Int] = [:]
        var sockets = Dict()
        var cores = Dict()
        var socket = "0"
        var core = "0"
        for line in lines("/proc/cpuinfo") {
            let halves = line.split(separator: ":", maxSplits: 1)
            let key = halves[0].trimmed
            let value = halves.count > 1 ? halves[1].trimmed : ""
            counts[key, default: 0] += 1
            switch key {
            case "flags": facts["flags"] = .strings(value.split(separator: " ").map(String.init))
            case "model name", "Processor", "vendor_id", "cpu", "Vendor", "processor": processors.append(.string(value))
            case "physical id":
                socket = value
                if sockets[socket] == nil { sockets[socket] = 1 }
            case "core id":
                core = value
                if sockets[core] == nil { cores[core] = 1 }
            case "cpu cores": sockets[socket] = .int(Int(value) ?? 1)
            case "siblings": cores[core] = .int(Int(value) ?? 1)
            default: break
            }
        }
        facts["processor"] = .list(processors)
        let architecture = machine.identity.architecture
        var listed = processors.count
        if let vendors = counts["vendor_id"], vendors == counts["model name"] { listed = vendors }
        if ["armv", "aarch", "ppc"].contains(where: { architecture.hasPrefix($0) }) {
            listed = counts["processor"] ?? 0
        }
        let count = sockets.isEmpty ? listed : sockets.count
        let perSocket = max(1, sockets.values.first?.int ?? 1)
        let threads = Int((Double(cores.values.first?.int ?? 1) / Double(perSocket)).rounded(.toNearestOrEven))
        facts["processor_count"] = .int(count)
        facts["processor_cores"] = .int(perSocket)
        facts["processor_threads_per_core"] = .int(threads)
        facts["processor_vcpus"] = .int(threads * count * perSocket)
        facts["processor_nproc"] = .int(usableProcessors ?? counts["processor"] ?? count)
        return facts
    }

    /// The processors this process may run on.
    private var usableProcessors: Int? {
        let list = lines("/proc/self/status").first { $0.hasPrefix("Cpus_allowed_list:") }
        guard let ranges = list?.dropFirst("Cpus_allowed_list:".utf8.count).trimmed else { return nil }
        let counts = ranges.split(separator: ",").compactMap { range -> Int? in
            let ends = range.split(separator: "-").compactMap { Int($0) }
            guard let low = ends.first, let high = ends.last else { return nil }
            return high - low + 1
        }
        return counts.isEmpty ? nil : counts.reduce(0, +)
    }

    private static let firmwareFiles = [
        ("bios_date", "bios_date"), ("bios_vendor", "bios_vendor"), ("bios_version", "bios_version"),
        ("board_asset_tag", "board_asset_tag"), ("board_name", "board_name"), ("board_serial", "board_serial"),
        ("board_vendor", "board_vendor"), ("board_version", "board_version"),
        ("chassis_asset_tag", "chassis_asset_tag"), ("chassis_serial", "chassis_serial"),
        ("chassis_vendor", "chassis_vendor"), ("chassis_version", "chassis_version"), ("form_factor", "chassis_type"),
        ("product_name", "product_name"), ("product_serial", "product_serial"), ("product_uuid", "product_uuid"),
        ("product_version", "product_version"), ("system_vendor", "sys_vendor"),
    ]

    private static let formFactors = [
        "Unknown", "Other", "Unknown", "Desktop", "Low Profile Desktop", "Pizza Box", "Mini Tower", "Tower", "Portable",
        "Laptop", "Notebook", "Hand Held", "Docking Station", "All In One", "Sub Notebook", "Space-saving", "Lunch Box",
        "Main Server Chassis", "Expansion Chassis", "Sub Chassis", "Bus Expansion Chassis", "Peripheral Chassis",
        "RAID Chassis", "Rack Mount Chassis", "Sealed-case PC", "Multi-system", "CompactPCI", "AdvancedTCA", "Blade",
        "Blade Enclosure", "Tablet", "Convertible", "Detachable", "IoT Gateway", "Embedded PC", "Mini PC", "Stick PC",
    ]

    private func firmwareNames() -> Dict {
        var facts = Dict()
        for (fact, file) in Self.firmwareFiles {
            var value = text("/sys/devices/virtual/dmi/id/\(file)") ?? "NA"
            if fact == "form_factor", let number = Int(value) {
                value = Self.formFactors.indices.contains(number) ? Self.formFactors[number] : "unknown (\(number))"
            }
            facts[fact] = .string(value)
        }
        return facts
    }

    /// LVM is known only to its programs, and to root.
    private func volumeGroups() -> Dict {
        guard machine.program("vgs") != nil else { return ["lvm": "N/A"] }
        guard machine.identity.userID == 0 else { return ["lvm": "N/A"] }
        func rows(_ program: String, _ more: [String] = []) -> [[String]] {
            let text = output([program] + more + ["--noheadings", "--nosuffix", "--units", "g", "--separator", ","])
            return (text ?? "").split(separator: "\n").map { line in
                line.trimmed.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
        }
        var groups = Dict()
        for row in rows("vgs") where row.count > 4 {
            groups[row[0]] = [
                "size_g": .string(row[row.count - 2]), "free_g": .string(row[row.count - 1]),
                "num_lvs": .string(row[2]), "num_pvs": .string(row[1]),
            ]
        }
        var logical = Dict()
        for row in rows("lvs") where row.count > 3 {
            let volume: Dict = ["size_g": .string(row[3]), "vg": .string(row[1])]
            logical[row[0]] = .dict(volume)
            if var group = groups[row[1]]?.dict {
                var lvs = group["lvs"]?.dict ?? Dict()
                lvs[row[0]] = .dict(volume)
                group["lvs"] = .dict(lvs)
                groups[row[1]] = .dict(group)
            }
        }
        var physical = Dict()
        for row in rows("pvs") where row.count > 5 {
            physical[row[0]] = ["vg": .string(row[1]), "size_g": .string(row[4]), "free_g": .string(row[5])]
        }
        return ["lvm": ["lvs": .dict(logical), "vgs": .dict(groups), "pvs": .dict(physical)]]
    }
}
