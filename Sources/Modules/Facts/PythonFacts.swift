import Machine
import Values

extension FactSource {
    /// The Python that modules in Python would be run by; nothing where there is none.
    func python() -> Dict {
        guard let program = interpreter, let known = packaged(program) ?? asked(program) else { return Dict() }
        let numbers = known.numbers.map { Value.int($0) }
        let level = Value.string(known.level)
        return [
            "python": [
                "executable": .string(known.executable), "has_sslcontext": true, "type": .string(known.type),
                "version": [
                    "major": numbers[0], "minor": numbers[1], "micro": numbers[2], "releaselevel": level,
                    "serial": numbers[3],
                ],
                "version_info": [numbers[0], numbers[1], numbers[2], level, numbers[3]],
            ],
            "python_version": .string(known.numbers.prefix(3).map(String.init).joined(separator: ".")),
        ]
    }

    /// What a Python says of itself.
    private struct Python {
        var executable: String
        var type = "cpython"
        /// Major, minor, micro, serial.
        var numbers: [Int]
        var level = "final"
    }

    private func asked(_ program: String) -> Python? {
        let script = "import sys; v = sys.version_info; "
            + "print(sys.executable); print(sys.implementation.name); print(*v, sep='\\n')"
        // Alone: what is installed beside it does not matter, and need not be read.
        guard let lines = output([program, "-I", "-S", "-c", script])?.pythonLines, lines.count == 7 else { return nil }
        let numbers = [2, 3, 4, 6].compactMap { Int(lines[$0]) }
        guard numbers.count == 4 else { return nil }
        return Python(executable: lines[0], type: lines[1], numbers: numbers, level: lines[5])
    }

    /// Debian's own Python, whose version dpkg knows: starting it takes longer than all other facts together. Only of a
    /// final release, and of a file that nobody has replaced since the package came.
    private func packaged(_ program: String) -> Python? {
        guard !program.contains("/."), let real = machine.realPath(of: program), real.hasPrefix("/usr/bin/python3.")
        else { return nil }
        let package = splitPath(real).name + "-minimal"
        let list = "/var/lib/dpkg/info/\(package).list"
        guard let record = try? machine.status(of: list, followingLinks: true), lines(list).contains(real[...]),
            let file = try? machine.status(of: real, followingLinks: false),
            file.modificationTime <= record.modificationTime,
            let status = try? machine.contents(of: DpkgStatus.path),
            let found = DpkgStatus.package(package, in: status), found.isInstalled
        else { return nil }
        let upstream = found.version.split(separator: "-", omittingEmptySubsequences: false).dropLast()
        let numbers = upstream.joined(separator: "-").split(separator: ".").map { Int($0) ?? -1 }
        guard numbers.count == 3, numbers.allSatisfy({ $0 >= 0 }), real == "/usr/bin/python3.\(numbers[1])" else {
            return nil
        }
        return Python(executable: program, numbers: numbers + [0])
    }

    private var interpreter: String? {
        if let named = context.python { return machine.program(named) }
        guard let found = ["/usr/bin/python3", "python3"].lazy.compactMap({ machine.program($0) }).first else {
            return nil
        }
        // Ansible tells the name with the version. Programs of that name in PATH may be a version manager's, which
        // take long and may not even be there.
        guard let real = machine.realPath(of: found), splitPath(real).name.hasPrefix("python3.") else { return found }
        return real
    }

    /// Where modules in Python look for one, in Ansible's order.
    package static let pythons = (8...13).reversed().map { "python3.\($0)" } + ["/usr/bin/python3", "python3"]
}
