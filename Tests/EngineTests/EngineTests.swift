import Testing
import Values

/// The engine with a scripted coordinator and a machine in memory: the event log as text.
///
/// `GANTRY_REGENERATE=1` writes the logs anew; review the difference.
@Suite struct EngineTests {
    @Test(arguments: caseNames()) func engineCase(_ name: String) throws {
        let given = Case(name)
        let log: String
        do { log = try Scene(given.files).log() } catch let errors as Diagnostics {
            log = errors.all.map(\.rendered).joined(separator: "\n") + "\n"
        }
        if isRegenerating { return write(given.input + "====\n" + log, toCase: name + ".case") }
        #expect(log == given.expected, "\(name)")
    }
}
