import Glibc
import Machine
import Testing

/// The real machine, in a scratch folder. Everything here works without root.
@Suite struct LinuxMachineTests {
    let machine = LinuxMachine()

    private func scratch<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = try machine.makeTemporary(folder: true, in: "/tmp", prefix: "gantry-test-", suffix: "")
        defer { try? machine.remove(folder) }
        return try body(folder)
    }

    @Test func replacesByRename() throws {
        try scratch { folder in
            let path = folder + "/a.conf"
            try machine.replace(path, with: Array("one\n".utf8), attributes: Attributes(mode: 0o640))
            let first = try #require(try machine.status(of: path))
            #expect(first.mode == 0o640)
            try machine.replace(path, with: Array("two\n".utf8), attributes: Attributes())
            let second = try #require(try machine.status(of: path))
            #expect(second.mode == 0o640)
            #expect(second.inode != first.inode)
            #expect(try machine.text(of: path) == "two\n")
            #expect(try machine.names(in: folder) == ["a.conf"])
        }
    }

    @Test func refusedReplacementLeavesNothing() throws {
        try scratch { folder in
            let path = folder + "/a.conf"
            try machine.replace(path, with: Array("one".utf8), attributes: Attributes())
            var seen = ""
            #expect(throws: MachineError("no")) {
                try machine.replace(path, with: Array("two".utf8), attributes: Attributes()) {
                    (temporary: String) throws(MachineError) in
                    seen = try machine.text(of: temporary) ?? ""
                    throw MachineError("no")
                }
            }
            #expect(seen == "two")
            #expect(try machine.text(of: path) == "one")
            #expect(try machine.names(in: folder) == ["a.conf"])
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root may mount a small file system"))
    func fullDiskLosesNothing() throws {
        try scratch { folder in
            let mounted = try machine.run(Command(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]))
            if mounted.status != 0 { return }
            defer { _ = try? machine.run(Command(["umount", folder])) }
            let path = folder + "/a"
            try machine.replace(path, with: [1, 2, 3], attributes: Attributes())
            let error = #expect(throws: MachineError.self) {
                try machine.replace(path, with: [UInt8](repeating: 7, count: 1 << 20), attributes: Attributes())
            }
            #expect(error?.message == "cannot write \(path): No space left on device")
            #expect(try machine.contents(of: path) == [1, 2, 3])
            #expect(try machine.names(in: folder) == ["a"])
        }
    }

    @Test func errorsSayWhatAndWhere() throws {
        try scratch { folder in
            func message(_ body: () throws -> Void) -> String {
                do { try body() } catch let error as MachineError { return error.message } catch { return "\(error)" }
                return "no error"
            }
            let missing = message { try machine.replace(folder + "/no/a", with: [], attributes: Attributes()) }
            #expect(missing == "cannot write \(folder)/no/a: there is no folder \(folder)/no")
            let isFolder = message { try machine.replace(folder, with: [], attributes: Attributes()) }
            #expect(isFolder == "cannot write \(folder): Is a directory")
            let zero = message { _ = try machine.contents(of: "/etc/passwd\0.txt") }
            #expect(zero == "the path /etc/passwd\\0.txt holds a zero byte")
            let unknown = message { _ = try machine.run(Command(["no-such-program", "x"])) }
            #expect(unknown == "cannot run 'no-such-program': No such file or directory")
            let place = message { _ = try machine.run(Command(["true"], folder: "/no/folder")) }
            #expect(place == "cannot change to the folder /no/folder: No such file or directory")
        }
    }

    @Test func removesTreesWithoutFollowingLinks() throws {
        try scratch { folder in
            let kept = folder + "/kept"
            try machine.makeFolder(kept, mode: 0o755)
            try machine.replace(kept + "/file", with: [1], attributes: Attributes())
            let tree = folder + "/tree"
            try machine.makeFolder(tree, mode: 0o755)
            try machine.makeFolder(tree + "/a", mode: nil)
            try machine.makeFolder(tree + "/a/b", mode: nil)
            try machine.makeSymbolicLink(at: tree + "/a/link", to: kept)
            try machine.makeSymbolicLink(at: tree + "/broken", to: "nowhere")
            try machine.replace(tree + "/a/b/c", with: [], attributes: Attributes())
            try machine.remove(tree)
            #expect(try machine.status(of: tree) == nil)
            #expect(try machine.names(in: kept) == ["file"])
            try machine.makeSymbolicLink(at: tree, to: kept)
            try machine.remove(tree)
            #expect(try machine.names(in: kept) == ["file"])
            try machine.remove(tree)
        }
    }

    @Test func aLinkToItselfLeadsNowhere() throws {
        try scratch { folder in
            try #require(unsafe symlink("round", folder + "/round") == 0)
            #expect(try machine.status(of: folder + "/round", followingLinks: true) == nil)
            #expect(try machine.status(of: folder + "/round")?.kind == .link)
        }
    }

    @Test func readsWhatHasNoSize() throws {
        let status = try #require(try machine.text(of: "/proc/self/status"))
        #expect(status.contains("Pid:"))
        #expect(try machine.contents(of: "/no/such/file") == nil)
        #expect(try machine.names(in: "/no/such/folder") == nil)
        #expect(throws: MachineError.self) { try machine.contents(of: "/proc/self/status", limit: 10) }
    }

    @Test func knowsAccounts() throws {
        #expect(try machine.user(named: "root")?.id == 0)
        #expect(try machine.user(id: 0)?.home == "/root")
        #expect(try machine.group(named: "root")?.id == 0)
        #expect(try machine.user(named: "no such user") == nil)
        #expect(try machine.addresses(of: "localhost").isEmpty == false)
        #expect(try machine.addresses(of: "127.0.0.1") == ["127.0.0.1"])
    }

    @Test func setsTimesAndLinks() throws {
        try scratch { folder in
            let path = folder + "/a"
            try machine.replace(path, with: [], attributes: Attributes(mode: 0o4755))
            try machine.setTimes(of: path, access: nil, modification: 1_000_000.5)
            let found = try #require(try machine.status(of: path))
            #expect(found.modificationTime == 1_000_000.5)
            #expect(found.mode == 0o4755)
            try machine.makeHardLink(at: folder + "/b", to: path)
            #expect(try machine.status(of: path)?.links == 2)
            try machine.makeSymbolicLink(at: folder + "/c", to: "a")
            #expect(try machine.linkTarget(of: folder + "/c") == "a")
            #expect(try machine.status(of: folder + "/c", followingLinks: true)?.inode == found.inode)
            #expect(machine.realPath(of: folder + "/c") == path)
            try machine.rename(folder + "/c", to: folder + "/d")
            #expect(try machine.names(in: folder) == ["a", "b", "d"])
        }
    }
}
