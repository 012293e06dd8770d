import Machine
import Values

extension FactSource {
    /// Mounted file systems that have a device or a server behind them, with their sizes.
    mutating func mounts() -> Dict {
        var bound: Set<String> = []
        for line in lines("/proc/self/mountinfo") {
            let fields = line.split(separator: " ")
            if fields.count > 4, fields[3] != "/" { bound.insert(unescaped(fields[4])) }
        }
        let ids = identifiersByDevice()
        var found = Dict()
        for line in lines(exists("/etc/mtab") ? "/etc/mtab" : "/proc/mounts") {
            let fields = line.split { $0 == " " || $0 == "\t" }.map { unescaped($0) }
            guard fields.count >= 6 else { continue }
            let (device, mount, type) = (fields[0], fields[1], fields[2])
            guard device.hasPrefix("/") || device.hasPrefix("\\") || device.contains(":/"), type != "none" else {
                continue
            }
            var entry: Dict = [
                "mount": .string(mount), "device": .string(device), "fstype": .string(type),
                "options": .string(fields[3] + (bound.contains(mount) ? ",bind" : "")),
                "dump": .int(Int(fields[4]) ?? 0), "passno": .int(Int(fields[5]) ?? 0),
            ]
            if let sizes = sizes(of: mount, type) {
                entry.merge(sizes) { $1 }
            } else {
                entry["note"] = "Could not get extra information due to timeout"
            }
            entry["uuid"] = .string(ids[machine.realPath(of: device) ?? device] ?? "N/A")
            found[mount] = .dict(entry)
        }
        return ["mounts": .list(Array(found.values))]
    }

    private func identifiersByDevice() -> [String: String] {
        var ids: [String: String] = [:]
        for id in names("/dev/disk/by-uuid") {
            if let device = machine.realPath(of: "/dev/disk/by-uuid/" + id) { ids[device] = id }
        }
        return ids
    }

    /// `\040` and the like replaced by the characters meant.
    private func unescaped(_ field: some StringProtocol) -> String {
        guard field.contains("\\") else { return String(field) }
        var out: [UInt8] = []
        var bytes = Array(field.utf8)[...]
        while let byte = bytes.popFirst() {
            let digits = String(decoding: bytes.prefix(3), as: UTF8.self)
            if byte == UInt8(ascii: "\\"), digits.utf8.count == 3, let code = UInt8(digits, radix: 8) {
                out.append(code)
                bytes = bytes.dropFirst(3)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Sizes in bytes, blocks and inodes. A server that does not answer would block the call for ever, so file
    /// systems with one are asked through a process that can be ended.
    private func sizes(of mount: String, _ type: String) -> Dict? {
        let remote = ["nfs", "cifs", "smb", "ceph", "gluster", "fuse.sshfs", "9p", "afs"].contains {
            type.hasPrefix($0)
        }
        if remote {
            let numbers =
                output(["stat", "-f", "-c", "%s %S %b %a %c %d", mount])?.trimmed.split(separator: " ")
                .compactMap { Int($0) } ?? []
            guard numbers.count == 6 else { return nil }
            return sizes(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5])
        }
        guard let space = (try? machine.space(of: mount)) ?? nil else { return Dict() }
        return sizes(
            Int(space.blockSize), Int(space.blockSize), Int(space.blocks), Int(space.freeBlocks), Int(space.inodes),
            Int(space.freeInodes))
    }

    private func sizes(
        _ block: Int, _ fragment: Int, _ total: Int, _ available: Int, _ inodes: Int, _ freeInodes: Int
    ) -> Dict {
        [
            "size_total": .int(fragment * total), "size_available": .int(fragment * available),
            "block_size": .int(block), "block_total": .int(total), "block_available": .int(available),
            "block_used": .int(total - available), "inode_total": .int(inodes), "inode_available": .int(freeInodes),
            "inode_used": .int(inodes - freeInodes),
        ]
    }
}
