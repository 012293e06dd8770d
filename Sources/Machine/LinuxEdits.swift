import CMachine
import Glibc

/// The seconds since 1970 of a local time written by a format of `strptime`; `nil` where the two do not fit.
package func localMoment(_ text: String, format: String) -> Double? {
    var seconds = 0.0
    return unsafe machine_read_time(text, format, &seconds) == 1 ? seconds : nil
}

extension LinuxMachine {
    package func replace(
        _ path: String, with contents: [UInt8], attributes: Attributes,
        check: (String) throws(MachineError) -> Void
    ) throws(MachineError) {
        let (folder, name) = splitPath(path)
        let before = try status(of: path, followingLinks: false)
        if before?.kind == .folder { throw .cannot("write", path, EISDIR) }
        let temporary = try create(in: folder, ".\(shortened(name)).", ".gantry", folder: false, "write", for: path)
        do throws(MachineError) {
            try fill(temporary, with: contents, attributes, before, path)
            try check(temporary)
            try attempt("replace", path) { unsafe Glibc.rename(temporary, path) }
        } catch {
            _ = unsafe unlink(temporary)
            throw error
        }
        syncFolder(folder)
    }

    /// Room is left for what is added to the name: file systems allow 255 bytes.
    private func shortened(_ name: String) -> String {
        var short = name
        while short.utf8.count > 200 { short.removeLast() }
        return short
    }

    private func fill(
        _ temporary: String, with contents: [UInt8], _ attributes: Attributes, _ before: FileStatus?, _ path: String
    ) throws(MachineError) {
        let file = Descriptor(try attempt("write", path) { unsafe open(temporary, O_WRONLY | O_CLOEXEC | O_NOFOLLOW) })
        try write(contents, to: file, path)
        let old = before?.kind == .file ? before : nil
        try own(file, Attributes(owner: attributes.owner, group: attributes.group), path)
        if let old {
            // What was inherited is kept where this user may; Ansible does the same.
            let left = attributes.owner == nil ? old.owner : nil
            let right = attributes.group == nil ? old.group : nil
            do { try own(file, Attributes(owner: left, group: right), path) } catch {
                if error.code != EPERM { throw error }
            }
        }
        if old != nil { unsafe machine_copy_attributes(path, file.raw) }
        // Behind the owner: changing that takes set-id bits away.
        let mode = attributes.mode ?? old?.mode ?? (0o666 & ~mask)
        try attempt("set the mode of", path) { fchmod(file.raw, mode) }
        try attempt("write", path) { fsync(file.raw) }
    }

    private func own(
        _ file: borrowing Descriptor, _ attributes: Attributes, _ path: String
    ) throws(MachineError) {
        var now = stat()
        _ = unsafe fstat(file.raw, &now)
        let owner = attributes.owner ?? now.st_uid
        let group = attributes.group ?? now.st_gid
        if owner == now.st_uid && group == now.st_gid { return }
        let number = file.raw
        try attempt("set the owner of", path) { fchown(number, owner, group) }
    }

    private func write(
        _ contents: [UInt8], to file: borrowing Descriptor, _ path: String
    ) throws(MachineError) {
        let number = file.raw
        var done = 0
        while done < contents.count {
            done += try attempt("write", path) {
                unsafe contents[done...].withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
            }
        }
    }

    /// A rename is on disk when the folder is. File systems that cannot do it refuse, which is no fault of the user.
    private func syncFolder(_ folder: String) {
        let result = uninterrupted { unsafe open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY) }
        if result >= 0 { _ = fsync(Descriptor(result).raw) }
    }

    package func overwrite(_ path: String, with contents: [UInt8]) throws(MachineError) {
        let file = Descriptor(
            try attempt("write", path) { unsafe open(path, O_WRONLY | O_CLOEXEC | O_TRUNC | O_NOCTTY | O_NONBLOCK) })
        try write(contents, to: file, path)
        let number = file.raw
        let result = uninterrupted { fsync(number) }
        if result < 0 && result != -EINVAL { throw .cannot("write", path, -result) }
    }

    package func makeFolder(_ path: String, mode: UInt32?) throws(MachineError) {
        try attempt("make the folder", path) { unsafe mkdir(path, (mode ?? 0o777) & 0o777) }
        if let mode { try attempt("set the mode of", path) { unsafe chmod(path, mode) } }
    }

    package func remove(_ path: String) throws(MachineError) {
        guard let found = try status(of: path, followingLinks: false) else { return }
        if found.kind != .folder {
            let result = uninterrupted { unsafe unlink(path) }
            if result < 0 && result != -ENOENT { throw .cannot("remove", path, -result) }
            return
        }
        // A slash at the end would follow a link.
        var plain = path
        while plain.count > 1, plain.hasSuffix("/") { plain.removeLast() }
        try removeTree(AT_FDCWD, plain.utf8CString.map { $0 }, plain)
    }

    /// Empties and removes a folder by its open parent, so that nobody can put a link in the way.
    private func removeTree(_ parent: Int32, _ name: [CChar], _ path: String) throws(MachineError) {
        let opened = uninterrupted {
            unsafe openat(parent, name, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW)
        }
        if opened == -ENOENT { return }
        if opened < 0 { throw .cannot("remove", path, -opened) }
        let folder = Descriptor(opened)
        for entry in try entries(of: folder, path) {
            let number = folder.raw
            let result = uninterrupted { unsafe unlinkat(number, entry, 0) }
            if result == 0 || result == -ENOENT { continue }
            let below = path + "/" + String(decoding: entry.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // Linux says the first for a folder, POSIX the second.
            guard result == -EISDIR || result == -EPERM else { throw .cannot("remove", below, -result) }
            do throws(MachineError) { try removeTree(number, entry, below) } catch {
                throw error.code == ENOTDIR ? .cannot("remove", below, -result) : error
            }
        }
        let result = uninterrupted { unsafe unlinkat(parent, name, AT_REMOVEDIR) }
        if result < 0 && result != -ENOENT { throw .cannot("remove", path, -result) }
    }

    package func makeSymbolicLink(at path: String, to target: String) throws(MachineError) {
        try checkPath(target)
        try attempt("make the link", path) { unsafe symlink(target, path) }
    }

    package func makeHardLink(at path: String, to existing: String) throws(MachineError) {
        try checkPath(existing)
        try attempt("link \(existing) to", path) { unsafe link(existing, path) }
    }

    package func rename(_ path: String, to new: String) throws(MachineError) {
        try checkPath(new)
        try attempt("rename \(path) to", new) { unsafe Glibc.rename(path, new) }
    }

    package func setAttributes(
        of path: String, _ attributes: Attributes, followingLinks: Bool
    ) throws(MachineError) {
        // The system's word for leaving one alone.
        let same = UInt32.max
        if attributes.owner != nil || attributes.group != nil {
            try attempt("set the owner of", path) {
                unsafe fchownat(
                    AT_FDCWD, path, attributes.owner ?? same, attributes.group ?? same,
                    followingLinks ? 0 : AT_SYMLINK_NOFOLLOW)
            }
        }
        guard let mode = attributes.mode else { return }
        // Links have no mode of their own on Linux.
        if !followingLinks, try status(of: path, followingLinks: false)?.kind == .link { return }
        try attempt("set the mode of", path) { unsafe chmod(path, mode) }
    }

    package func touch(_ path: String) throws(MachineError) {
        try attempt("set the times of", path) { unsafe utimensat(AT_FDCWD, path, nil, 0) }
    }

    package func setTimes(of path: String, access: Double?, modification: Double?) throws(MachineError) {
        try checkPath(path)
        let left = access.map { [$0] }
        let right = modification.map { [$0] }
        let result =
            switch (left, right) {
            case (nil, nil): Int32(0)
            case (let left?, nil): unsafe machine_set_times(path, left, nil)
            case (nil, let right?): unsafe machine_set_times(path, nil, right)
            case (let left?, let right?): unsafe machine_set_times(path, left, right)
            }
        if result < 0 { throw .cannot("set the times of", path, -result) }
    }

    package func makeTemporary(
        folder: Bool, in parent: String?, prefix: String, suffix: String
    ) throws(MachineError) -> String {
        let place = parent ?? environment["TMPDIR"] ?? "/tmp"
        return try create(in: place, prefix, suffix, folder: folder, "make a temporary file in", for: place)
    }

    /// A new empty file or folder with a name that cannot be guessed, for this user only.
    private func create(
        in parent: String, _ prefix: String, _ suffix: String, folder: Bool, _ verb: String, for path: String
    ) throws(MachineError) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789_")
        while true {
            let middle = String((0..<8).map { _ in letters[Int.random(in: letters.indices)] })
            let new = (parent.hasSuffix("/") ? parent : parent + "/") + prefix + middle + suffix
            try checkPath(new)
            let result = uninterrupted {
                unsafe folder
                    ? mkdir(new, 0o700) : open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            }
            if result >= 0 {
                if !folder { _ = Descriptor(result) }
                return new
            }
            if result == -EEXIST { continue }
            if result == -ENOENT, try !exists(parent) {
                throw MachineError("cannot \(verb) \(path): there is no folder \(parent)", code: ENOENT)
            }
            throw .cannot(verb, path, -result)
        }
    }
}
