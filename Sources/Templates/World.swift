import Values
import Glibc

/// What templates may see of the machine that evaluates them. Tests replace parts of it.
package struct World: Sendable {
    package struct FileStatus: Sendable, Hashable {
        package enum Kind: Sendable { case file, directory, link, other }
        package var kind: Kind
        package var device: UInt64
        package var inode: UInt64
        package init(kind: Kind, device: UInt64, inode: UInt64) {
            self.kind = kind
            self.device = device
            self.inode = inode
        }
    }

    /// Seconds and nanoseconds since 1970.
    package var now: @Sendable () -> (seconds: Int, nanoseconds: Int)
    package var random: @Sendable () -> UInt64
    /// The file at a path; the second argument says whether to follow links.
    package var status: @Sendable (String, Bool) -> FileStatus?
    /// The path without links, dots and doubled slashes.
    package var realPath: @Sendable (String) -> String
    /// The files that match a shell pattern, sorted.
    package var glob: @Sendable (String) -> [String]
    package var environment: @Sendable (String) -> String?
    package var currentFolder: @Sendable () -> String
    /// The first bytes of a file, for `is vaulted_file`.
    package var head: @Sendable (String, Int) -> [UInt8]?

    package init() {
        now = {
            var time = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &time)
            return (time.tv_sec, time.tv_nsec)
        }
        random = {
            var generator = SystemRandomNumberGenerator()
            return generator.next()
        }
        status = { path, follow in
            var found = stat()
            let result = unsafe follow ? stat(path, &found) : lstat(path, &found)
            guard result == 0 else { return nil }
            let kind: FileStatus.Kind =
                switch found.st_mode & S_IFMT {
                case S_IFREG: .file
                case S_IFDIR: .directory
                case S_IFLNK: .link
                default: .other
                }
            return FileStatus(kind: kind, device: UInt64(found.st_dev), inode: UInt64(found.st_ino))
        }
        realPath = Self.realPath
        glob = Self.glob
        environment = { name in
            guard let value = unsafe getenv(name) else { return nil }
            return unsafe String(cString: value)
        }
        currentFolder = {
            guard let path = unsafe getcwd(nil, 0) else { return "/" }
            defer { unsafe free(path) }
            return unsafe String(cString: path)
        }
        head = { path, count in
            let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return nil }
            defer { close(file) }
            var bytes = [UInt8](repeating: 0, count: count)
            let got = unsafe read(file, &bytes, count)
            return Array(bytes.prefix(max(0, got)))
        }
    }

    private static func glob(_ pattern: String) -> [String] {
        var found = unsafe glob_t()
        defer { unsafe globfree(&found) }
        guard unsafe Glibc.glob(pattern, 0, nil, &found) == 0, let paths = unsafe found.gl_pathv else { return [] }
        return (0..<Int(unsafe found.gl_pathc)).compactMap { index in
            guard let path = unsafe paths[index] else { return nil }
            return unsafe String(cString: path)
        }
    }

    private static func realPath(_ path: String) -> String {
        if let resolved = unsafe realpath(path, nil) {
            defer { unsafe free(resolved) }
            return unsafe String(cString: resolved)
        }
        // What does not exist has no links: its parent may.
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        guard let last = parts.last, parts.count > 1 || path.hasPrefix("/") else { return Paths.normalized(path) }
        let parent = (path.hasPrefix("/") ? "/" : "") + parts.dropLast().joined(separator: "/")
        return Paths.normalized(Paths.joined([parent == "/" ? "/" : realPath(parent), String(last)]))
    }
}
