import Glibc

/// The whole of a small file, or why not. More than 16 MiB is no file of ours.
func contents(of path: String) -> Result<[UInt8], Errno> {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return .failure(.current) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var space = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count <= 16 << 20 {
        let count = unsafe space.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        if count == 0 { return .success(bytes) }
        if count < 0 {
            if errno == EINTR { continue }
            return .failure(.current)
        }
        bytes += space[..<count]
    }
    return .failure(Errno(code: EFBIG))
}

/// The user's home directory: what ssh looks up in the user database, not `HOME`; `HOME` where there is no entry.
let homeDirectory: String = {
    if let entry = unsafe getpwuid(getuid()), let directory = unsafe entry.pointee.pw_dir {
        return unsafe String(cString: directory)
    }
    return environmentVariable("HOME") ?? "/"
}()

func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}

/// `~/x` in full.
func expandingTilde(_ path: String) -> String {
    if path == "~" { return homeDirectory }
    return path.hasPrefix("~/") ? homeDirectory + path.dropFirst() : path
}

/// The path as people write it: with `~` for the home directory.
func abbreviated(_ path: String) -> String {
    path.hasPrefix(homeDirectory + "/") ? "~" + path.dropFirst(homeDirectory.count) : path
}
