import Crypto
import Machine
import Values

/// `stat`: everything the file system knows of a path.
struct ReadStatus: Action {
    var path: FilePath = ""
    var follow = false
    var getChecksum = true
    var getMime = true
    var getAttributes = true
    var algorithm = DigestAlgorithm.sha1
    init() {}

    static let schema = Schema<ReadStatus>(
        "stat", "Tells what a path is.",
        [
            Parameter("path", \.path, aliases: ["dest", "name"], required: true, "The path to look at."),
            Parameter("follow", \.follow, default: "false", "Look at what a link points to."),
            Parameter("get_checksum", \.getChecksum, default: "true", "Compute the digest of a file."),
            Parameter(
                "checksum_algorithm", \.algorithm, aliases: ["checksum", "checksum_algo"], default: "sha1",
                "Which digest."),
            Parameter(
                "get_mime", \.getMime, aliases: ["mime", "mime_type", "mime-type"], default: "true",
                "Ask the program 'file', where the node has it, for the type of the content."),
            Parameter(
                "get_attributes", \.getAttributes, aliases: ["attr", "attributes"], default: "true",
                "Read the flags that lsattr shows."),
        ],
        options: SchemaOptions(
            returns: [("stat", "A mapping: exists, isdir, isreg, islnk, mode, size, checksum and many more.")],
            examples: """
                - name: Look whether the application is there
                  ansible.builtin.stat:
                    path: /opt/app/current
                  register: current

                - ansible.builtin.debug:
                    msg: It is a link
                  when: current.stat.exists and current.stat.islnk
                """, onlyReads: true))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        let path = try path.expanded(on: machine, context)
        let found = try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: follow) }
        guard let found else { return Outcome(["stat": ["exists": false]]) }
        var stat: Dict = ["exists": true, "path": .string(path)]
        stat.merge(Self.numbers(found)) { $1 }
        let access = machine.access(path)
        stat["readable"] = .bool(access.contains(.read))
        stat["writeable"] = .bool(access.contains(.write))
        stat["executable"] = .bool(access.contains(.execute))
        if found.kind == .link {
            let target = try attempt { () throws(MachineError) in try machine.linkTarget(of: path) } ?? ""
            stat["lnk_source"] = .string(try realPath(of: path, on: machine))
            stat["lnk_target"] = .string(target)
        }
        if let user = try attempt({ () throws(MachineError) in try machine.user(id: found.owner) }) {
            stat["pw_name"] = .string(user.name)
        }
        if let group = try attempt({ () throws(MachineError) in try machine.group(id: found.group) }) {
            stat["gr_name"] = .string(group.name)
        }
        if getChecksum, found.kind == .file, access.contains(.read) {
            stat["checksum"] = .optional(try digest(algorithm, of: path, on: machine))
        }
        if getMime { stat.merge(mime(path, on: machine)) { $1 } }
        if getAttributes { stat.merge(Self.flags(path, on: machine)) { $1 } }
        return Outcome(["stat": .dict(stat)])
    }

    /// What `find` has too: mode, kind, owner, size, times and the single permissions.
    static func common(_ found: FileStatus) -> Dict {
        // Four digits in all, unlike the modes of other results: `4750`, not `04750`.
        let mode = found.mode > 0o777 ? String(octal(found.mode).dropFirst()) : octal(found.mode)
        var all: Dict = [
            "mode": .string(mode), "isdir": .bool(found.kind == .folder),
            "ischr": .bool(found.kind == .characterDevice), "isblk": .bool(found.kind == .blockDevice),
            "isreg": .bool(found.kind == .file), "isfifo": .bool(found.kind == .pipe),
            "islnk": .bool(found.kind == .link), "issock": .bool(found.kind == .socket),
            "uid": .int(Int(found.owner)), "gid": .int(Int(found.group)), "size": .int(Int(found.size)),
            "inode": .int(Int(found.inode)), "dev": .int(Int(found.device)), "nlink": .int(Int(found.links)),
            "atime": .double(found.accessTime), "mtime": .double(found.modificationTime),
            "ctime": .double(found.changeTime),
        ]
        for (index, name) in ["wusr", "rusr", "xusr", "wgrp", "rgrp", "xgrp", "woth", "roth", "xoth"].enumerated() {
            let bit: UInt32 = [2, 4, 1][index % 3]
            all[name] = .bool(found.mode & bit << UInt32(6 - index / 3 * 3) != 0)
        }
        all["isuid"] = .bool(found.mode & 0o4000 != 0)
        all["isgid"] = .bool(found.mode & 0o2000 != 0)
        return all
    }

    private static func numbers(_ found: FileStatus) -> Dict {
        var all = common(found)
        all["blocks"] = .int(Int(found.blocks))
        all["block_size"] = .int(Int(found.blockSize))
        all["device_type"] = .int(Int(found.deviceType))
        return all
    }

    /// As Ansible does it: by the program `file`; `unknown` without it.
    private func mime(_ path: String, on machine: some MachineReader) -> Dict {
        let unknown: Dict = ["mimetype": "unknown", "charset": "unknown"]
        guard let program = machine.program("file") else { return unknown }
        let command = Command([program, "--mime-type", "--mime-encoding", path], timeout: 30)
        guard let done = try? machine.inspect(command), done.status == 0,
            let colon = done.outputText.lastIndex(of: ":")
        else { return unknown }
        let parts = done.outputText[colon...].dropFirst().split(separator: ";").map(\.trimmed)
        guard parts.count == 2, let charset = parts[1].split(separator: "=").last else { return unknown }
        return ["mimetype": .string(parts[0]), "charset": .string(String(charset))]
    }

    private static let flagNames: [Character: String] = [
        "A": "noatime", "a": "append", "c": "compressed", "C": "nocow", "d": "nodump", "D": "dirsync", "e": "extents",
        "E": "encrypted", "h": "blocksize", "i": "immutable", "I": "indexed", "j": "journalled", "N": "inline",
        "s": "zero", "S": "synchronous", "t": "notail", "T": "blockroot", "u": "undelete", "X": "compressedraw",
        "Z": "compresseddirty",
    ]

    private static func flags(_ path: String, on machine: some MachineReader) -> Dict {
        guard let flags = machine.flags(of: path) else {
            return ["version": .null, "attributes": [], "attr_flags": ""]
        }
        return [
            "version": .string(String(flags.version)),
            "attributes": .strings(flags.letters.compactMap { flagNames[$0] }),
            "attr_flags": .string(flags.letters),
        ]
    }
}
