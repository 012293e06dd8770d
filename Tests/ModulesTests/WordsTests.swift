import Testing
import Values

@testable import Modules

/// Words, times and the texts that the modules read.
@Suite struct WordsTests {
    @Test(arguments: [
        ("a b", ["a", "b"]), ("", []), ("  a  ", ["a"]), ("'a b' c", ["a b", "c"]), ("a'b'\"c\"", ["abc"]),
        ("''", [""]), ("\"a \\\" b\"", ["a \" b"]), ("\"a\\nb\"", ["a\\nb"]), ("'a\\'", ["a\\"]), ("a\\ b", ["a b"]),
        ("a\nb", ["a", "b"]), ("x=\"1 2\"", ["x=1 2"]), ("a#b", ["a#b"]),
    ]) func split(_ line: String, _ words: [String]) throws {
        #expect(try ShellWords.split(line) == words)
    }

    @Test(arguments: [
        ("'a", "No closing quotation"), ("a\\", "No escaped character"), ("\"a\\", "No escaped character"),
    ])
    func badLine(_ line: String, _ message: String) {
        #expect(throws: ShellWords.LineError(message: message)) { try ShellWords.split(line) }
    }

    @Test(arguments: [("a", "a"), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\"'\"'s'"), ("/x-1:2", "/x-1:2")])
    func quote(_ word: String, _ quoted: String) throws {
        #expect(ShellWords.quote(word) == quoted)
        #expect(try ShellWords.split(quoted) == [word])
    }

    @Test(arguments: [
        ("$A/x", "1/x"), ("${A}b", "1b"), ("$AB", "$AB"), ("$", "$"), ("a$B c", "a2 c"), ("${A", "${A"), ("$A$B", "12"),
    ]) func expand(_ text: String, _ expanded: String) {
        #expect(ShellWords.expandVariables(text, ["A": "1", "B": "2"]) == expanded)
    }

    @Test(arguments: [
        ("a\nb\n", ["a", "b"]), ("a\r\nb", ["a", "b"]), ("", []), ("\n", [""]), ("a\n\nb", ["a", "", "b"]),
        ("a\rb", ["a", "b"]),
        ("a\u{b}b\u{85}c", ["a", "b", "c"]),
    ]) func lines(_ text: String, _ lines: [String]) {
        #expect(text.pythonLines == lines)
    }

    @Test(arguments: [
        (0.0, "0:00:00"), (1.5, "0:00:01.500000"), (3661.000001, "1:01:01.000001"), (90000, "1 day, 1:00:00"),
        (172_800, "2 days, 0:00:00"),
    ]) func duration(_ seconds: Double, _ text: String) { #expect(LocalTime.duration(seconds) == text) }

    @Test func moment() {
        let time = LocalTime(1_795_468_149.106743, utc: true)
        #expect(time.timestamp.hasPrefix("2026-11-23 21:09:09.10674"))
        #expect(time.weekday == 1)
        #expect(LocalTime(0, utc: true).timestamp == "1970-01-01 00:00:00")
    }

    @Test func properties() {
        let text =
            "Id=a.service\nExecStart={ path=/bin/a\nb ; x }\nExecStop={ path=/b }\nDescription=x=y\nEnvironment=\n"
        let found = Systemctl.properties(text)
        #expect(found["ExecStart"] == "{ path=/bin/a\nb ; x }")
        #expect(found["ExecStop"] == "{ path=/b }")
        #expect(found["Description"] == "x=y")
        #expect(found["Environment"] == "")
    }

    @Test func ini() throws {
        let text = "# c\n[DEFAULT]\nd = 1\n[a]\nKey: v = w\nlong = x\n  y\n[b]\n"
        let found = try INI.sections(of: text)
        #expect(found["a"] == ["d": "1", "key": "v = w", "long": "x\ny"])
        #expect(found["b"] == ["d": "1"])
        #expect(throws: INI.NotINI.self) { try INI.sections(of: "no section = 1") }
    }

    @Test(
        arguments: [
            (["0011aa"], "0011aa"), (["11  x.tgz", "22 *y.tgz", "33  ./z.tgz"], "22"),
            (["SHA256 (y.tgz) = 44", "x"], "44"),
            (["11 yy.tgz", "12 a"], nil),
        ] as [([String], String?)]) func checksums(_ lines: [String], _ wanted: String?)
    {
        #expect(FetchURL.checksum(of: "y.tgz", in: lines) == wanted)
    }

    @Test(arguments: [
        ("https://h/a/b.tgz?x=/y", "b.tgz"), ("https://h/", "index.html"), ("https://h", "index.html"),
        ("http://h/a#b/c", "a"),
    ]) func fileNames(_ url: String, _ name: String) { #expect(fileName(ofURL: url) == name) }

    @Test func form() throws {
        #expect(try RequestURI.form(["a": "b c", "d": ["1", "ü"], "e": .null]) == "a=b+c&d=1&d=%C3%BC")
    }

    @Test(arguments: [(0.0, "0.00 Bytes"), (274_877_906_944, "256.00 GB"), (1536, "1.50 KB"), (1023, "1023.00 Bytes")])
    func sizes(_ bytes: Double, _ text: String) { #expect(FactSource.words(bytes: bytes) == text) }

    @Test(arguments: [
        (["all"], true, true), (["!all"], false, true), (["!all", "!min"], false, false),
        (["!all", "network"], false, true),
        (["!hardware"], false, true), (["all", "!hardware"], false, true),
    ]) func subsets(_ words: [String], _ hardware: Bool, _ distribution: Bool) throws {
        let names = try FactFamily.selected(by: words).map(\.name)
        #expect(names.contains("hardware") == hardware)
        #expect(names.contains("distribution") == distribution)
    }
}
