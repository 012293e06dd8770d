import Values
import CMachine
import Glibc

extension LinuxMachine {
    package func status(of path: String, followingLinks: Bool) throws(MachineError) -> FileStatus? {
        try checkPath(path)
        var found = stat()
        let result = uninterrupted { unsafe followingLinks ? stat(path, &found) : lstat(path, &found) }
        if result == -ENOENT || result == -ENOTDIR { return nil }
        // A link that leads to itself leads nowhere.
        if result == -ELOOP, followingLinks { return nil }
        if result < 0 { throw .cannot("look at", path, -result) }
        return FileStatus(found)
    }

    package func contents(of path: String, limit: Int) throws(MachineError) -> [UInt8]? {
        var all: [UInt8] = []
        let found = try pieces(of: path) { (piece: [UInt8], size: Int) throws(MachineError) in
            if all.isEmpty { all.reserveCapacity(min(max(size, piece.count), limit)) }
            if all.count + piece.count > limit {
                throw MachineError("\(path) has more than \(limit) bytes, which is the limit here", code: EFBIG)
            }
            all += piece
        }
        return found ? all : nil
    }

    package func read(_ path: String, _ piece: ([UInt8]) -> Void) throws(MachineError) -> Bool {
        try pieces(of: path) { (bytes: [UInt8], _: Int) throws(MachineError) in piece(bytes) }
    }

    /// Hands over the content with the size that the file claims to have: what `/proc` holds has size 0.
    private func pieces(
        of path: String, _ piece: ([UInt8], Int) throws(MachineError) -> Void
    ) throws(MachineError) -> Bool {
        try checkPath(path)
        // Without waiting, so that a pipe that nobody writes to is empty instead of for ever.
        let result = uninterrupted { unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) }
        if result == -ENOENT || result == -ENOTDIR { return false }
        if result < 0 { throw .cannot("read", path, -result) }
        let file = Descriptor(result)
        var found = stat()
        _ = unsafe fstat(file.raw, &found)
        let size = Int(found.st_size)
        while true {
            var count = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 65536) { buffer, initialized in
                count = uninterrupted { unsafe Glibc.read(file.raw, buffer.baseAddress, buffer.count) }
                initialized = max(0, count)
            }
            if count == 0 { return true }
            if count < 0 { throw .cannot("read", path, Int32(-count)) }
            try piece(bytes, size)
        }
    }

    package func names(in folder: String) throws(MachineError) -> [String]? {
        try checkPath(folder)
        let result = uninterrupted { unsafe open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY) }
        if result == -ENOENT { return nil }
        if result < 0 { throw .cannot("list", folder, -result) }
        let list = try entries(of: Descriptor(result), folder)
        return list.map { String(decoding: $0.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) }.sorted {
            $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars)
        }
    }

    /// The names in an open folder as the system has them, each with its zero byte: not all are UTF-8.
    func entries(of folder: borrowing Descriptor, _ path: String) throws(MachineError) -> [[CChar]] {
        let copy = fcntl(folder.raw, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0, let stream = unsafe fdopendir(copy) else {
            let code = errno
            if copy >= 0 { _ = Glibc.close(copy) }
            throw .cannot("list", path, code)
        }
        defer { unsafe closedir(stream) }
        var list: [[CChar]] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
            }
            let dot = CChar(UInt8(ascii: "."))
            if name != [dot, 0] && name != [dot, dot, 0] { list.append(name) }
        }
        if errno != 0 { throw .cannot("list", path, errno) }
        return list
    }

    package func linkTarget(of path: String) throws(MachineError) -> String? {
        try checkPath(path)
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let size = bytes.count
        let count = uninterrupted { unsafe readlink(path, &bytes, size) }
        if count == -Int(ENOENT) || count == -Int(ENOTDIR) || count == -Int(EINVAL) { return nil }
        if count < 0 { throw .cannot("read the link", path, Int32(-count)) }
        return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package func realPath(of path: String) -> String? {
        guard !path.utf8.contains(0), let found = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }

    package func access(_ path: String) -> Access {
        if path.utf8.contains(0) { return [] }
        return [Access.read, .write, .execute].reduce(into: []) { all, one in
            if unsafe Glibc.access(path, Int32(one.rawValue)) == 0 { all.insert(one) }
        }
    }

    package func space(of path: String) throws(MachineError) -> FileSystemSpace? {
        try checkPath(path)
        var found = statvfs()
        let result = uninterrupted { unsafe statvfs(path, &found) }
        if result == -ENOENT || result == -ENOTDIR { return nil }
        if result < 0 { throw .cannot("look at the file system of", path, -result) }
        return FileSystemSpace(
            blockSize: UInt64(found.f_frsize), blocks: UInt64(found.f_blocks), freeBlocks: UInt64(found.f_bavail),
            inodes: UInt64(found.f_files), freeInodes: UInt64(found.f_favail))
    }

    package func flags(of path: String) -> FileFlags? {
        // The number of the call is made from the size of a long, though the kernel uses an int.
        let readFlags: UInt = 0x8008_6601
        let readVersion: UInt = 0x8008_7601
        guard let kind = try? status(of: path, followingLinks: false)?.kind, kind == .file || kind == .folder
        else { return nil }
        let result = uninterrupted { unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW) }
        guard result >= 0 else { return nil }
        let file = Descriptor(result)
        var bits: Int = 0
        var version: Int = 0
        guard unsafe ioctl(file.raw, readFlags, &bits) == 0 else { return nil }
        _ = unsafe ioctl(file.raw, readVersion, &version)
        return FileFlags(bits: UInt32(truncatingIfNeeded: bits), version: UInt32(truncatingIfNeeded: version))
    }
}

extension FileStatus {
    init(_ found: stat) {
        let kind: FileKind =
            switch found.st_mode & S_IFMT {
            case S_IFDIR: .folder
            case S_IFLNK: .link
            case S_IFSOCK: .socket
            case S_IFIFO: .pipe
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            default: .file
            }
        func seconds(_ time: timespec) -> Double { Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9 }
        self.init(
            kind: kind, mode: found.st_mode & 0o7777, owner: found.st_uid, group: found.st_gid,
            size: Int64(found.st_size), device: UInt64(found.st_dev), inode: UInt64(found.st_ino),
            links: UInt64(found.st_nlink), blocks: Int64(found.st_blocks), blockSize: Int64(found.st_blksize),
            deviceType: UInt64(found.st_rdev), accessTime: seconds(found.st_atim),
            modificationTime: seconds(found.st_mtim), changeTime: seconds(found.st_ctim))
    }

    /// The two numbers of a device special file.
    package var deviceNumbers: (major: UInt32, minor: UInt32) {
        (machine_major(deviceType), machine_minor(deviceType))
    }
}
