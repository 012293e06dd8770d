import Testing
import Values

@Suite struct StringSearchTests {
    @Test func findsInBytes() {
        let text = "añb--ñ--ñc"
        #expect(text.contains("ñ--") && !text.contains("ñc-") && "".contains("") && text.contains(""))
        #expect(text.ranges(of: "--ñ").map { String(text[$0.upperBound...]) } == ["--ñc", "c"])
        #expect("aaaa".ranges(of: "aa").count == 2 && "aaaa".ranges(of: "").isEmpty && "a".ranges(of: "aa").isEmpty)
        #expect(text.dropFirst(2).firstRange(of: "b").map { $0.lowerBound == text.firstIndex(of: "b") } == true)
        #expect([UInt8]("a\0bcbd".utf8).firstPlace(of: [98, 100]) == 4)
        #expect([UInt8]("ab".utf8).firstPlace(of: []) == 0 && ![UInt8]().contains([1]))
    }

    @Test func splitsAndReplaces() {
        #expect("a\r\nb\n".split(separator: "\n") == ["a\r", "b"])
        #expect("a::b:".split(separator: ":", omittingEmptySubsequences: false) == ["a", "", "b", ""])
        #expect("a, b, c".split(separator: ", ", maxSplits: 1) == ["a", "b, c"])
        #expect("".split(separator: ":").isEmpty)
        #expect("x.y.z".replacing(".", with: "→") == "x→y→z")
        #expect("x.y.z".replacing(".", with: "", maxReplacements: 1) == "xy.z")
    }

    /// By bytes where that is the same as by characters: pieces in every order, against a walk through characters.
    @Test func trimsAsCharactersDo() {
        let pieces = ["", " ", "\t", "\r\n", "a", "é", "\u{301}", "\u{600}", "\u{a0}", "\u{2003}", "日"]
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    let text = first + second + third + second
                    var part = text[...]
                    while part.first?.isWhitespace == true { part = part.dropFirst() }
                    while part.last?.isWhitespace == true { part = part.dropLast() }
                    #expect(text.trimmed == String(part) && text.dropFirst(0).trimmed == String(part), "\(text)")
                }
            }
        }
    }
}
