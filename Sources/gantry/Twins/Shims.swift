import ArgumentParser
import Glibc
import Playbooks
import Values

/// `gantry shims DIR`: links under the names of Ansible's programs.
struct Shims: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make links that take the place of Ansible's programs.",
        discussion: """
            Called by one of these names, gantry takes that program's arguments and ends with its statuses.

            Examples:
              gantry shims ~/.local/share/gantry/bin
              PATH=~/.local/share/gantry/bin:$PATH ansible-playbook site.yml
            """)

    @Argument(help: "The folder; it is made where it is missing.", completion: .directory)
    var folder: String

    func run() throws {
        guard let program = Disk.realPath("/proc/self/exe") else {
            throw CommandFailure(Diagnostic("cannot find the running program in /proc"), status: 1)
        }
        var made = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            made += "/\(part)"
            _ = unsafe mkdir(made, 0o755)
        }
        guard Disk.kind(folder) == .folder else {
            throw CommandFailure(Diagnostic("'\(folder)' is no folder, and none can be made there"), status: 1)
        }
        for twin in Twin.all {
            let path = "\(folder)/\(twin.name)"
            try replace(path, program)
            Output.print("\(path) -> gantry \(twin.command)")
        }
    }

    /// - Throws: when something that is no link has the name: it may be Ansible itself.
    private func replace(_ path: String, _ program: String) throws {
        var status = stat()
        if unsafe lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFLNK else {
                throw CommandFailure(
                    Diagnostic("'\(path)' is no link: it is left alone", notes: ["name an empty folder"]), status: 1)
            }
            if Disk.realPath(path) == program { return }
            _ = unsafe unlink(path)
        }
        guard unsafe symlink(program, path) == 0 else {
            throw CommandFailure(Diagnostic("cannot make '\(path)': \(Disk.message(errno))"), status: 1)
        }
    }
}
