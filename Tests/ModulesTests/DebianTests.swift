import Glibc
import Machine
import MachineFakes
import Testing
import Values

@testable import Modules

/// Debian's versions and records.
@Suite struct DebianTests {
    /// In pairs: the first is older, equal or newer, as dpkg says.
    static let versions: [(String, String, Int)] = [
        ("1.0", "1.0", 0), ("1.0", "1.1", -1), ("1.10", "1.9", 1), ("1:0.1", "9", 1), ("0:1", "1", 0),
        ("1.0~rc1", "1.0", -1), ("1.0~~", "1.0~", -1), ("1.0~", "1.0", -1), ("1.0-1", "1.0-1.1", -1),
        ("1.0", "1.0-0", 0),
        ("1.0", "1.0-1", -1), ("1.0a", "1.0+", -1), ("1.0a", "1.0b", -1), ("1.0.1", "1.0a", 1),
        ("2.36-9+deb12u14", "2.36-9+deb12u4", 1),
        ("3.0.22-1~deb12u2", "3.0.22-1", -1), ("01.2", "1.02", 0), ("1.2-3-4", "1.2-3-5", -1), ("a", "1", 1),
        ("1.", "1", 1),
        ("1:1.0~rc1-1", "1:1.0-1", -1), ("5.10.0~git20210101", "5.10.0", -1), ("1.0+dfsg", "1.0", 1), ("", "1", -1),
    ]

    private func sign(_ number: Int) -> Int { number < 0 ? -1 : number > 0 ? 1 : 0 }

    @Test(arguments: versions) func order(_ left: String, _ right: String, _ order: Int) {
        #expect(sign(DpkgVersion(left).order(to: DpkgVersion(right))) == order)
        #expect(sign(DpkgVersion(right).order(to: DpkgVersion(left))) == -order)
    }

    /// The table above is dpkg's own opinion, where there is a dpkg to ask.
    @Test(.enabled(if: LinuxMachine().program("dpkg") != nil)) func dpkgAgrees() throws {
        for (left, right, order) in Self.versions where !left.isEmpty && left.first?.isNumber == true {
            let word = order < 0 ? "lt" : order > 0 ? "gt" : "eq"
            let done = try LinuxMachine().inspect(Command(["dpkg", "--compare-versions", left, word, right]))
            #expect(done.status == 0, "dpkg does not find \(left) \(word) \(right)")
        }
    }

    @Test func status() {
        let text = """
            Package: dpkg
            Status: install ok installed
            Architecture: amd64
            Version: 1.21

            Package: mawk
            Status: install ok installed
            Architecture: amd64
            Version: 1.3
            Provides: awk, other (= 2)
            Description: a thing
             Package: not this

            Package: old
            Status: deinstall ok config-files
            Architecture: all
            Version: 2

            Package: lib
            Status: install ok installed
            Architecture: i386
            Version: 7
            """
        let status = DpkgStatus(Array(text.utf8))
        #expect(status.architecture == "amd64")
        #expect(status["mawk"]?.version == "1.3")
        #expect(status["mawk:amd64"]?.isInstalled == true)
        #expect(status.provided == ["awk", "other"])
        #expect(status["old"]?.isInstalled == false)
        #expect(status["old"]?.leavesFiles == true)
        #expect(status["lib"] == nil)
        #expect(status["lib:i386"]?.version == "7")
        #expect(status["not"] == nil)
    }

    @Test func packageSpecs() throws {
        #expect(try PackageSpec("a=1:2.*").version == "1:2.*")
        #expect(try PackageSpec("a>=2").relation == ">=")
        #expect(try PackageSpec("a").text == "a")
        #expect(throws: Failure.self) { try PackageSpec("a=1=2") }
    }
}
