import Engine
import MachineFakes
import Modules
import Testing
import Values
import Wire

/// Executors of other users.
@Suite struct EscalationTests {
    /// `userdel` refuses a user whose process runs: ours ends before.
    @Test func usersThatGoHaveNoProcessOfOurs() throws {
        let machine = try FakeMachine(description: .dict(Dict()))
        let children = Children()
        let executor = LocalExecutor(machine: machine, children: children)
        for state in ["present", "absent"] {
            let call = ModuleCall(
                module: "user", arguments: ["user": "bob", "state": .string(state)], checkMode: true, diffMode: false,
                environment: Dict(), verbosity: 0, become: nil, isHidden: false,
                basis: SearchBasis(roles: [], taskFolder: "", playFolder: ""))
            _ = executor.perform(call, asking: ScriptedCoordinator([]) { _, _ in .proceed }) {
                () throws(Interruption) in
            }
        }
        #expect(children.left == ["bob"])
    }

    private final class Children: EscalatedExecutors {
        var left: [String] = []
        func executor(for become: Become) throws(Failure) -> any Executor { throw Failure("there is none") }
        func leave(user: String) { left.append(user) }
    }
}
