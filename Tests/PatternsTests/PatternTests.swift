import Patterns
import Testing

@Suite struct PatternTests {
    @Test func searchFindsTheFirstMatch() throws {
        let match = try #require(try Pattern(#"(?P<key>\w+)=(\d+)"#).search("x; port=80 y=1"))
        #expect(match.text == "port=80")
        #expect(match.group(named: "key") == "port")
        #expect(match.group(2) == "80")
        #expect(match.range == 3..<10)
    }

    @Test(arguments: [
        (#"a\Z"#, "ba", true), (#"a\Z"#, "ba\n", false), ("a$", "ba\n", true), (#"x{,2}y"#, "xxy", true),
        ("[[]a", "[a", true), (#"(?P<q>['"]).*?(?P=q)"#, "say 'hi'", true), ("(?i)ABC", "xabc", true),
        (#"(?s:a.b)"#, "a\nb", true), ("a.b", "a\nb", false), (#"\w+"#, "é", true), (#"(?a)^\w"#, "é", false),
        ("^b", "a\nb", false), ("{x", "{x", true), (#"(\d)\1"#, "188", true), (#"\x41"#, "A", true),
    ])
    func patternsMeanWhatTheyDoInPython(pattern: String, text: String, found: Bool) throws {
        #expect((try Pattern(pattern).search(text) != nil) == found)
    }

    @Test(arguments: ["(", "[a", "a**", #"\q"#, "(?P<a>x)(?P<a>y)", #"(a)\2"#, "(?<n>x)", "(*F)", #"\K"#, "a(?i)b"])
    func patternsThatPythonRefusesAreRefused(pattern: String) {
        #expect(throws: PatternError.self) { try Pattern(pattern) }
    }

    @Test(arguments: [
        ("x*", "-", "abxd", "-a-b--d-"), (#"(\w)(\w)"#, #"\2\g<1>"#, "abcd", "badc"), ("b", #"\n"#, "abc", "a\nc"),
        ("(a)|b", #"[\1]"#, "ab", "[a][]"), ("", "-", "ab", "-a-b-"), (#"(?P<x>.)"#, #"<\g<x>>"#, "é", "<é>"),
    ])
    func substituteReplacesAllMatches(pattern: String, template: String, text: String, wanted: String) throws {
        #expect(try Pattern(pattern).substitute(text, with: template).text == wanted)
    }

    @Test func splitKeepsGroups() throws {
        #expect(try Pattern("(,)|;").split("a,b;c") == ["a", ",", "b", nil, "c"])
        #expect(try Pattern(",").split("a,b,c", limit: 1) == ["a", "b,c"])
    }

    @Test func findAllGivesGroups() throws {
        #expect(try Pattern(#"(\w)(\d)"#).findAll("a1 b2") == [["a", "1"], ["b", "2"]])
        #expect(try Pattern(#"\d+"#).findAll("1 22") == [["1"], ["22"]])
    }

    @Test func bytesNeedNotBeText() throws {
        let pattern = try Pattern("^b", [.bytes, .multiline])
        let match = try #require(try pattern.firstMatch(in: [0xff, 0x0a, 0x62, 0xfe]))
        #expect(match.range == 2..<3)
        #expect(try pattern.substitute([0x62, 0xff], with: "x").bytes == [0x78, 0xff])
    }

    @Test(arguments: [
        ("*.txt", "a.txt", true), ("*.txt", "a.txt.gz", false), ("[!a]?", "bc", true), ("[!a]?", "ac", false),
        ("a[b-d]", "ac", true), ("[", "[", true), ("web-*", "web-01", true), ("a.b", "axb", false), ("*", "", true),
    ])
    func globsMatchWholeNames(glob: String, name: String, matches: Bool) throws {
        #expect(try Pattern(glob: glob).matchesWhole(name) == matches)
    }

    @Test func aSearchThatExplodesIsGivenUp() throws {
        let pattern = try Pattern("(a+)+$")
        #expect(throws: PatternError.self) { try pattern.search(String(repeating: "a", count: 40) + "b") }
    }
}
