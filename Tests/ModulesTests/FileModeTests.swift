import Testing
import Values

@testable import Modules

@Suite struct FileModeTests {
    /// Values of `chmod` and Ansible for the same.
    @Test(arguments: [
        ("u=rwX,g=rX,o=", 0o600, false, 0o640), ("u=rwX,g=rX,o=", 0o700, false, 0o750),
        ("u=rwX,g=rX,o=", 0o600, true, 0o750), ("a+x", 0o644, false, 0o755), ("+x", 0o600, false, 0o711),
        ("+w", 0o444, false, 0o644), ("g=u", 0o640, false, 0o660), ("o=g,g-w", 0o664, false, 0o646),
        ("u+s,g+s,o+t", 0o755, false, 0o7755), ("u=", 0o4755, false, 0o055), ("ug+rw-x", 0o751, false, 0o661),
        ("go-rwx", 0o777, true, 0o700),
    ])
    func appliesSymbolicModes(_ text: String, _ before: UInt32, _ isFolder: Bool, _ after: UInt32) throws {
        #expect(FileMode.apply(text, to: before, isFolder: isFolder, mask: 0o022) == after)
    }

    @Test(arguments: ["rw", "u+z", "z+r", "", "u=rw,", "0888"]) func refusesWhatIsNoMode(_ text: String) {
        #expect(throws: ParameterError.self) { try FileMode(parameter: .string(text)) }
    }

    @Test func readsNumbers() throws {
        for value: Value in ["0644", "644", "0o644", .int(0o644)] {
            #expect(try FileMode(parameter: value) == .bits(0o644))
        }
        #expect(try FileMode(parameter: "preserve") == .preserve)
        #expect(throws: ParameterError.self) { try FileMode(parameter: .int(0o10000)) }
    }
}
