import Machine
import Values

extension FactSource {
    /// Block devices with their partitions, as `/sys/block` shows them.
    func devices() -> Dict {
        let links = deviceLinks()
        let wide = Dict(
            names("/dev/disk/by-id").filter { $0.hasPrefix("wwn-") }.compactMap { name in
                link("/dev/disk/by-id/" + name).map { (baseName($0), .string(String(name.dropFirst(4)))) }
            })
        var devices = Dict()
        // What `lspci` says, once it is asked.
        var controllers: [Substring]?
        for name in names("/sys/block") {
            let folder = "/sys/block/" + name
            guard isLink(folder) else { continue }
            var device = device(name, folder, links, wide)
            device["host"] = .string(controller(of: folder, among: &controllers))
            device["holders"] = holders(folder)
            devices[name] = .dict(device)
        }
        return ["devices": .dict(devices), "device_links": .dict(links)]
    }

    private func device(_ name: String, _ folder: String, _ links: Dict, _ wide: Dict) -> Dict {
        var device: Dict = ["virtual": 1, "links": linksOf(name, links)]
        for key in ["vendor", "model", "sas_address", "sas_device_handle"] {
            device[key] = .optional(text("\(folder)/device/\(key)"))
        }
        if let serial = text(folder + "/device/serial") { device["serial"] = .string(serial) }
        device["removable"] = .optional(text(folder + "/removable"))
        let hardware = text(folder + "/queue/discard_max_hw_bytes")
        device["support_discard"] = hardware == "0" ? "0" : .optional(text(folder + "/queue/discard_granularity"))
        if let id = wide[name] { device["wwn"] = id }
        var partitions = Dict()
        for part in names(folder) where isPartition(part, of: name) {
            var entry = size(folder + "/" + part, sectorFolder: folder)
            entry["links"] = linksOf(part, links)
            entry["start"] = .optional(text("\(folder)/\(part)/start"))
            let ids = links["uuids"]?[part]?.list?.first
            entry["uuid"] = ids ?? .null
            entry["holders"] = holders(folder + "/" + part)
            partitions[part] = .dict(entry)
        }
        device["partitions"] = .dict(partitions)
        device["rotational"] = .optional(text(folder + "/queue/rotational"))
        let scheduler = text(folder + "/queue/scheduler") ?? ""
        let chosen = scheduler.drop { $0 != "[" }.dropFirst().prefix { $0 != "]" }
        device["scheduler_mode"] = .string(String(chosen))
        device.merge(size(folder, sectorFolder: folder)) { $1 }
        return device
    }

    private func isPartition(_ part: String, of disk: String) -> Bool {
        guard part.hasPrefix(disk) else { return false }
        var rest = part.dropFirst(disk.count)
        if rest.first == "p" { rest = rest.dropFirst() }
        return !rest.isEmpty && rest.allSatisfy(\.isNumber)
    }

    /// Sectors of the device's own size; sysfs counts in 512 bytes.
    private func size(_ folder: String, sectorFolder: String) -> Dict {
        let own = text(folder + "/queue/logical_block_size") ?? text(folder + "/queue/hw_sector_size")
        let width = own.flatMap { Int($0) } ?? 512
        let sectors = (number(folder + "/size") ?? 0) * 512 / max(1, width)
        return [
            "sectorsize": own.map { .string($0) } ?? .int(512), "sectors": .int(sectors),
            "size": .string(Self.words(bytes: Double(sectors) * Double(width))),
        ]
    }

    /// `256.00 GB`
    static func words(bytes: Double) -> String {
        let units = [("YB", 80), ("ZB", 70), ("EB", 60), ("PB", 50), ("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10)]
        for (unit, shift) in units {
            var limit = 1.0
            for _ in 0..<shift { limit *= 2 }
            if bytes >= limit { return hundredths(bytes / limit) + " " + unit }
        }
        return hundredths(bytes) + " Bytes"
    }

    private static func hundredths(_ number: Double) -> String {
        let scaled = Int((number * 100).rounded())
        return "\(scaled / 100).\(LocalTime.digits(scaled % 100, 2))"
    }

    private func holders(_ folder: String) -> Value {
        .strings(
            names(folder + "/holders").filter { $0.hasPrefix("dm-") }
                .map { text("\(folder)/holders/\($0)/dm/name") ?? $0 })
    }

    /// `lspci`'s line for the controller that the disk hangs on.
    private func controller(of folder: String, among lines: inout [Substring]?) -> String {
        let address = machine.realPath(of: folder)?.split(separator: "/").last { part in
            part.utf8.count == 12 && part.contains(":") && part.filter { $0 == ":" }.count == 2 && part.contains(".")
        }
        guard let address else { return "" }
        let known = lines ?? output(["lspci", "-D"])?.split(separator: "\n") ?? []
        lines = known
        let line = known.first { $0.hasPrefix(address + " ") }
        return line.map { String($0.dropFirst(address.count + 1)) } ?? ""
    }

    private func linksOf(_ name: String, _ links: Dict) -> Value {
        .dict(Dict(links.names.map { ($0, links[$0]?[name] ?? []) }))
    }

    /// Names by which devices are linked, by kind and device.
    private func deviceLinks() -> Dict {
        func targets(_ folder: String) -> Value {
            var found = Dict()
            for name in names(folder) {
                guard let target = link(folder + "/" + name) else { continue }
                found[baseName(target)] = .list((found[baseName(target)]?.list ?? []) + [.string(name)])
            }
            return .dict(found)
        }
        var masters = Dict()
        for device in names("/sys/block") {
            for slave in names("/sys/block/\(device)/slaves") {
                masters[slave] = .list((masters[slave]?.list ?? []) + [.string(device)])
            }
        }
        return [
            "ids": targets("/dev/disk/by-id"), "uuids": targets("/dev/disk/by-uuid"),
            "labels": targets("/dev/disk/by-label"), "masters": .dict(masters),
        ]
    }
}
