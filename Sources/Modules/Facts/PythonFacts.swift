import Machine
import Values

extension FactSource {
    /// The Python that modules in Python would be run by; nothing where there is none.
    func python() -> Dict {
        guard let program = interpreter else { return Dict() }
        let script = "import sys; v = sys.version_info; "
            + "print(sys.executable); print(sys.implementation.name); print(*v, sep='\\n')"
        // Alone: what is installed beside it does not matter, and need not be read.
        guard let lines = output([program, "-I", "-S", "-c", script])?.pythonLines, lines.count == 7,
            let major = Int(lines[2]), let minor = Int(lines[3]), let micro = Int(lines[4]), let serial = Int(lines[6])
        else { return Dict() }
        let level = Value.string(lines[5])
        return [
            "python": [
                "executable": .string(lines[0]), "has_sslcontext": true, "type": .string(lines[1]),
                "version": [
                    "major": .int(major), "minor": .int(minor), "micro": .int(micro), "releaselevel": level,
                    "serial": .int(serial),
                ],
                "version_info": [.int(major), .int(minor), .int(micro), level, .int(serial)],
            ],
            "python_version": .string("\(major).\(minor).\(micro)"),
        ]
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
