/// What the system said when a call did not work: operation, object and errno, in one line.
package struct MachineError: Error, Sendable, Hashable {
    /// `cannot write /etc/motd: No space left on device`
    package let message: String
    /// The errno, 0 where there was none (a timeout, a stop).
    package let code: Int32
    /// The run is being stopped; not a fault of the task.
    package let isStop: Bool

    package init(_ message: String, code: Int32 = 0, isStop: Bool = false) {
        self.message = message
        self.code = code
        self.isStop = isStop
    }
}

package enum FileKind: String, Sendable, Hashable {
    case file, folder, link, socket, pipe, characterDevice, blockDevice
}

/// `struct stat`, as modules need it.
package struct FileStatus: Sendable, Hashable {
    package var kind: FileKind
    /// Permission bits with set-id and sticky: 0 to 0o7777.
    package var mode: UInt32
    package var owner: UInt32
    package var group: UInt32
    package var size: Int64
    package var device: UInt64
    package var inode: UInt64
    package var links: UInt64
    package var blocks: Int64
    package var blockSize: Int64
    package var deviceType: UInt64
    /// Seconds since 1970.
    package var accessTime: Double
    package var modificationTime: Double
    package var changeTime: Double

    package init(
        kind: FileKind, mode: UInt32, owner: UInt32 = 0, group: UInt32 = 0, size: Int64 = 0, device: UInt64 = 0,
        inode: UInt64 = 0, links: UInt64 = 1, blocks: Int64 = 0, blockSize: Int64 = 4096, deviceType: UInt64 = 0,
        accessTime: Double = 0, modificationTime: Double = 0, changeTime: Double = 0
    ) {
        self.kind = kind
        self.mode = mode
        self.owner = owner
        self.group = group
        self.size = size
        self.device = device
        self.inode = inode
        self.links = links
        self.blocks = blocks
        self.blockSize = blockSize
        self.deviceType = deviceType
        self.accessTime = accessTime
        self.modificationTime = modificationTime
        self.changeTime = changeTime
    }
}

package struct Access: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    package static let read = Access(rawValue: 4)
    package static let write = Access(rawValue: 2)
    package static let execute = Access(rawValue: 1)
}

/// What `statvfs` says of a file system.
package struct FileSystemSpace: Sendable, Hashable {
    /// Bytes in a block.
    package var blockSize: UInt64
    package var blocks: UInt64
    /// Blocks that users other than root may still fill.
    package var freeBlocks: UInt64
    package var inodes: UInt64
    package var freeInodes: UInt64
    package init(blockSize: UInt64, blocks: UInt64, freeBlocks: UInt64, inodes: UInt64, freeInodes: UInt64) {
        self.blockSize = blockSize
        self.blocks = blocks
        self.freeBlocks = freeBlocks
        self.inodes = inodes
        self.freeInodes = freeInodes
    }
}

/// Inode flags as Linux file systems keep them (`FS_IOC_GETFLAGS`).
package struct FileFlags: Sendable, Hashable {
    package var bits: UInt32
    /// The generation number (`lsattr -v`).
    package var version: UInt32
    package init(bits: UInt32, version: UInt32 = 0) {
        self.bits = bits
        self.version = version
    }

    /// Bits in the order in which `lsattr` prints their letters.
    private static let order: [(bit: UInt32, letter: Character)] = [
        (0x1, "s"), (0x2, "u"), (0x8, "S"), (0x10000, "D"), (0x10, "i"), (0x20, "a"), (0x40, "d"), (0x80, "A"),
        (0x4, "c"), (0x800, "E"), (0x4000, "j"), (0x1000, "I"), (0x8000, "t"), (0x20000, "T"), (0x80000, "e"),
        (0x800000, "C"), (0x2000000, "x"), (0x40000000, "F"), (0x10000000, "N"), (0x20000000, "P"), (0x100000, "V"),
        (0x400, "m"),
    ]

    /// `e`, `iae`
    package var letters: String { String(Self.order.filter { bits & $0.bit != 0 }.map(\.letter)) }
}

/// Owner, group and mode to set; `nil` leaves one alone.
package struct Attributes: Sendable, Hashable {
    package var owner: UInt32?
    package var group: UInt32?
    package var mode: UInt32?
    package init(owner: UInt32? = nil, group: UInt32? = nil, mode: UInt32? = nil) {
        self.owner = owner
        self.group = group
        self.mode = mode
    }
}

package struct User: Sendable, Hashable {
    package var name: String
    package var id: UInt32
    package var group: UInt32
    /// The GECOS field.
    package var comment: String
    package var home: String
    package var shell: String
    package init(name: String, id: UInt32, group: UInt32, comment: String = "", home: String, shell: String) {
        self.name = name
        self.id = id
        self.group = group
        self.comment = comment
        self.home = home
        self.shell = shell
    }
}

package struct Group: Sendable, Hashable {
    package var name: String
    package var id: UInt32
    package var members: [String]
    package init(name: String, id: UInt32, members: [String] = []) {
        self.name = name
        self.id = id
        self.members = members
    }
}

/// Who runs, and on what.
package struct Identity: Sendable, Hashable {
    package var userID: UInt32
    package var groupID: UInt32
    package var hostName: String
    package var kernel: String
    package var kernelVersion: String
    /// `x86_64`, `aarch64`.
    package var architecture: String
    package init(
        userID: UInt32, groupID: UInt32, hostName: String, kernel: String, kernelVersion: String, architecture: String
    ) {
        self.userID = userID
        self.groupID = groupID
        self.hostName = hostName
        self.kernel = kernel
        self.kernelVersion = kernelVersion
        self.architecture = architecture
    }
}

/// A program with its arguments: never a line for a shell.
package struct Command: Sendable {
    /// The program, found in `PATH` when it has no slash, and its arguments.
    package var arguments: [String]
    package var input: [UInt8]
    package var folder: String?
    /// Set over the process's own environment.
    package var environment: [String: String]
    package var umask: UInt32?
    /// Seconds until it is ended (SIGTERM, then SIGKILL); `nil` waits as long as it takes.
    package var timeout: Double?
    /// Bytes kept of each of the two outputs; what is beyond is read and dropped, and said so.
    package var outputLimit: Int

    package init(
        _ arguments: [String], input: [UInt8] = [], folder: String? = nil, environment: [String: String] = [:],
        umask: UInt32? = nil, timeout: Double? = nil, outputLimit: Int = 64 << 20
    ) {
        self.arguments = arguments
        self.input = input
        self.folder = folder
        self.environment = environment
        self.umask = umask
        self.timeout = timeout
        self.outputLimit = outputLimit
    }
}

package struct CommandResult: Sendable, Hashable {
    /// The exit status; `-signal` when it was ended by one, as Python reports it.
    package var status: Int32
    package var output: [UInt8]
    package var errors: [UInt8]
    package var timedOut: Bool
    package init(status: Int32, output: [UInt8] = [], errors: [UInt8] = [], timedOut: Bool = false) {
        self.status = status
        self.output = output
        self.errors = errors
        self.timedOut = timedOut
    }
    package var outputText: String { String(decoding: output, as: UTF8.self) }
    package var errorText: String { String(decoding: errors, as: UTF8.self) }
}

package enum Probe: Sendable, Hashable {
    case open([UInt8])
    case refused(String)
    case timedOut
}
