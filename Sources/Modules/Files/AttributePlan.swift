import Machine
import Values

/// Finds out what has to be done to a path's owner, group, mode, flags and context.
struct AttributePlan {
    let common: FileArguments
    let context: Context
    /// What differs, by name, for a diff of the form that `file` prints.
    var before = Dict()
    var after = Dict()
    var steps: [FileStep] = []
    var needs: [String] = []

    init(_ common: FileArguments, _ context: Context) {
        self.common = common
        self.context = context
    }

    var hasChanges: Bool { !steps.isEmpty || !needs.isEmpty }

    func diff(header: String = "") -> Diff { Diff(before: before, after: after, header: header) }

    /// What something new at this path is to have from the start.
    mutating func attributes(
        forNew path: String, isFolder: Bool, mode: FileMode?, on machine: some MachineReader
    ) throws(Failure) -> Attributes {
        var wanted = try common.owners(of: path, on: machine, context, needs: &needs)
        let plain: UInt32 = (isFolder ? 0o777 : 0o666) & ~machine.mask
        wanted.mode = mode?.bits(from: plain, isFolder: isFolder, mask: machine.mask)
        return wanted
    }

    /// Adds what the path, which is there with this status, needs; `hidden` keeps it out of the diff.
    mutating func settle(
        _ path: String, _ found: FileStatus, mode: FileMode?, on machine: some MachineReader, hidden: Bool = false
    ) throws(Failure) {
        try settleContext(path, on: machine)
        let wanted = try common.owners(of: path, on: machine, context, needs: &needs)
        var change = Attributes()
        var left = Dict()
        var right = Dict()
        if let owner = wanted.owner, owner != found.owner {
            change.owner = owner
            left["owner"] = .int(Int(found.owner))
            right["owner"] = .int(Int(owner))
        }
        if let group = wanted.group, group != found.group {
            change.group = group
            left["group"] = .int(Int(found.group))
            right["group"] = .int(Int(group))
        }
        if let mode, found.kind != .link {
            let bits = mode.bits(from: found.mode, isFolder: found.kind == .folder, mask: machine.mask)
            if bits != found.mode {
                change.mode = bits
                left["mode"] = .string(octal(found.mode))
                right["mode"] = .string(octal(bits))
            }
            // Giving a file away takes its set-id bits; they are set again behind it.
            if change.owner != nil || change.group != nil { change.mode = bits }
        }
        if change != Attributes() { steps.append(.attributes(path, change)) }
        settleFlags(path, on: machine, &left, &right)
        if hidden { return }
        before.merge(left) { $1 }
        after.merge(right) { $1 }
    }

    private mutating func settleFlags(
        _ path: String, on machine: some MachineReader, _ left: inout Dict, _ right: inout Dict
    ) {
        guard var flags = common.attributes, machine.program("chattr") != nil else { return }
        var sign = "="
        if let first = flags.first, "+-".contains(first) { sign = String(flags.removeFirst()) }
        let now = machine.flags(of: path)?.letters ?? ""
        let isWanted =
            switch sign {
            case "+": flags.allSatisfy(now.contains)
            case "-": !flags.contains(where: now.contains)
            default: Set(flags) == Set(now)
            }
        if flags.isEmpty || isWanted { return }
        steps.append(.flags(path, sign + flags))
        left["attributes"] = .string(now)
        right["attributes"] = .string(sign + flags)
    }

    /// Without SELinux in the kernel the parameters mean nothing.
    private mutating func settleContext(_ path: String, on machine: some MachineReader) throws(Failure) {
        let given = [common.seuser, common.serole, common.setype, common.selevel]
        guard given.contains(where: { $0 != nil }) else { return }
        let context = try attempt { () throws(MachineError) -> ([String], [String])? in
            guard try machine.exists("/sys/fs/selinux/enforce") else { return nil }
            func parts(_ words: [String]) throws(MachineError) -> [String] {
                let line = try machine.inspect(Command(words)).outputText.trimmed
                return line.split(separator: ":", maxSplits: 3).map(String.init)
            }
            let now = try parts(["stat", "--printf=%C", path])
            let fallback = given.contains("_default") ? try parts(["matchpathcon", "-n", path]) : []
            return (now, fallback)
        }
        guard let (now, fallback) = context else { return }
        var options: [String] = []
        for (index, option) in ["-u", "-r", "-t", "-l"].enumerated() {
            guard var wanted = given[index] else { continue }
            if wanted == "_default" {
                guard fallback.indices.contains(index) else { continue }
                wanted = fallback[index]
            }
            if !now.indices.contains(index) || now[index] != wanted { options += [option, wanted] }
        }
        if options.isEmpty { return }
        steps.append(.context(path, options))
        before["secontext"] = .strings(now)
        after["secontext"] = .strings(options.enumerated().filter { $0.offset % 2 == 1 }.map(\.element))
    }
}
