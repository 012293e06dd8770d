import MachineFakes
import Modules
import Testing
import Values

/// What every module promises, asserted for every case.
@Suite struct ModuleTests {
    @Test(arguments: ModuleCase.all) func keepsItsPromises(_ given: ModuleCase) throws {
        let expect = given.expect
        let courier = CaseCourier(given)

        // Check mode changes nothing, and tells what apply would do.
        let checked = try given.machine()
        let before = checked.snapshot
        let foreseen = attempt(given, checked, check: true, courier)
        #expect(checked.edits == [], "check mode has changed the machine")
        #expect(checked.snapshot == before, "check mode has changed the files")
        let checkExpect = expect["check"]
        compare(
            foreseen, failed: checkExpect != nil ? checkExpect?["failed"] : expect["failed"],
            changed: checkExpect?["changed"] ?? expect["changed"], result: checkExpect?["result"], "check mode")

        // Apply reaches the wanted state.
        let machine = try given.machine()
        let done = attempt(given, machine, check: false, courier)
        compare(done, failed: expect["failed"], changed: expect["changed"], result: expect["result"], "apply")
        if let warnings = expect["warnings"]?.list {
            let told = switch done {
            case .success(let outcome): outcome.warnings
            case .failure(let failure): failure.warnings
            }
            #expect(told == warnings.map(\.pythonText))
        }
        let differences = try machine.differences(from: expect["files"]?.dict ?? Dict())
        #expect(differences == [], "the files are not as wanted")
        var edits = machine.edits[...]
        for edit in expect["edits"]?.list ?? [] {
            edits = edits.drop { $0 != edit.pythonText }.dropFirst()
            #expect(
                edits.startIndex > 0 || machine.edits.contains(edit.pythonText),
                "no '\(edit.pythonText)' in \(machine.edits)")
        }
        guard case .success(let outcome) = done else { return }
        if let facts = expect["facts"] {
            #expect(Value.dict(outcome.facts).json(JSONStyle(indent: 1)) == facts.json(JSONStyle(indent: 1)))
        }
        if expect["changed"]?.isTrue == false { #expect(machine.edits == [], "nothing was to be done") }

        // Both show the same differences.
        let shown = Value.list(outcome.diff.map(\.value))
        if case .success(let foreseen) = foreseen, checkExpect == nil {
            #expect(Value.list(foreseen.diff.map(\.value)) == shown, "check mode showed another diff")
        }
        if let wanted = expect["diff"] {
            let style = JSONStyle(indent: 1, sortKeys: true)
            #expect(shown.json(style) == wanted.json(style))
        }

        // A second run changes nothing.
        machine.forgetEdits()
        let again = attempt(given, machine, check: false, courier)
        guard case .success(let second) = again else {
            Issue.record("the second run failed: \(again)")
            return
        }
        if expect["repeats"]?.isTrue == true { return }
        #expect(!second.changed, "the second run changed again: \(machine.edits)")
        #expect(machine.edits == [], "the second run changed the machine")
    }

    private func attempt(
        _ given: ModuleCase, _ machine: FakeMachine, check: Bool, _ courier: CaseCourier
    ) -> Result<Outcome, Failure> {
        do { return .success(try given.run(on: machine, check: check, courier: courier)) } catch {
            return .failure(error)
        }
    }

    private func compare(
        _ outcome: Result<Outcome, Failure>, failed: Value?, changed: Value?, result: Value?, _ mode: String
    ) {
        switch outcome {
        case .failure(let failure):
            #expect(failure.message == failed?.text, "\(mode): the failure is another one")
            compare(failure.result, result, mode)
        case .success(let outcome):
            #expect(failed?.text == nil, "\(mode): it was to fail")
            #expect(outcome.changed == changed?.isTrue ?? true, "\(mode): changed is wrong")
            compare(outcome.values, result, mode)
        }
    }

    /// Of a mapping only what the case names has to be as it says.
    private func covers(_ found: Value, _ wanted: Value) -> Bool {
        guard let left = found.dict, let right = wanted.dict, !right.isEmpty else { return found == wanted }
        return right.allSatisfy { key, value in left[key].map { covers($0, value) } ?? false }
    }

    private func compare(_ found: Dict, _ wanted: Value?, _ mode: String) {
        for (key, value) in wanted?.dict ?? Dict() {
            let shown = found[key]
            if value.isNull, shown == nil { continue }
            #expect(
                shown.map { covers($0, value) } ?? false,
                "\(mode): '\(key.pythonText)' of the result is \(shown?.json() ?? "missing")")
        }
    }
}
