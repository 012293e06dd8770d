import Machine
import Values

/// Runs machine calls where a `Failure` is expected: the machine's own message becomes the task's.
func attempt<T>(_ body: () throws(MachineError) -> T) throws(Failure) -> T {
    do throws(MachineError) { return try body() } catch { throw Failure(error) }
}

extension Outcome {
    /// What Ansible answers in check mode for a module that cannot foresee its effect.
    static func withoutCheckMode(_ module: String) -> Outcome {
        let text = "remote module (\(module)) does not support check mode"
        return Outcome(["msg": .string(text)], skipped: true)
    }

    /// A task left out with a reason, as an action plugin of Ansible reports it.
    static func skipping(_ reason: String) -> Outcome {
        Outcome(["msg": .string(reason)], skipped: true)
    }
}

extension Dict {
    /// Puts `stdout` and `stderr` in, each with its list of lines.
    mutating func setOutput(_ stdout: String, _ stderr: String) {
        self["stdout"] = .string(stdout)
        self["stderr"] = .string(stderr)
        self["stdout_lines"] = .strings(stdout.pythonLines)
        self["stderr_lines"] = .strings(stderr.pythonLines)
    }
}

extension String {
    /// Python's `splitlines()`: every line boundary of Unicode counts, and a last empty line does not.
    var pythonLines: [String] {
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var open = false
        var afterReturn = false
        for scalar in unicodeScalars {
            if afterReturn, scalar == "\n" {
                afterReturn = false
                continue
            }
            afterReturn = scalar == "\r"
            switch scalar {
            case "\n", "\r", "\u{b}", "\u{c}", "\u{1c}", "\u{1d}", "\u{1e}", "\u{85}", "\u{2028}", "\u{2029}":
                lines.append(String(line))
                line = String.UnicodeScalarView()
                open = false
            default:
                line.append(scalar)
                open = true
            }
        }
        if open { lines.append(String(line)) }
        return lines
    }

    /// Without the line ends at its end.
    var withoutLineEnds: String {
        var scalars = unicodeScalars[...]
        while let last = scalars.last, last == "\n" || last == "\r" { scalars = scalars.dropLast() }
        return String(scalars)
    }
}
