import Patterns
import Values

/// `urlize`: addresses in a text become links, without the punctuation around them.
struct Links {
    private let limit: Int?
    private let attributes: String
    private let schemes: [String]

    private static let address = [
        #"(?i)^(?:(?:https?://|www\.)(?:(?:[\w%-]+\.)+)?(?:[a-z]{2,63}|xn--[\w%]{2,59})"#,
        #"|(?:[\w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)"#,
        #"|https?://(?:\d{1,3}(?:\.\d{1,3}){3}|\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\]))"#,
        #"(?::\d{1,5})?(?:[/?#]\S*)?$"#,
    ].joined()
    private static let mail = #"^\S+@\w[\w.-]*\.\w+$"#

    init(_ c: FilterCall) throws(TemplateError) {
        limit = try c.int(0)
        var words = Set((try c.text(3) ?? "").split(separator: " ").map(String.init))
        if try c.flag(1) { words.insert("nofollow") }
        words.insert("noopener")
        let target = try c.text(2).map { " target=\"\(Filters.escaped($0))\"" } ?? ""
        attributes = " rel=\"\(Filters.escaped(words.sorted().joined(separator: " ")))\"" + target
        schemes = if let given = c[4], !given.isNull { try c.evaluator.items(of: given).compactMap(\.text) } else { [] }
    }

    func marked(_ text: String) throws(TemplateError) -> String {
        var out = ""
        var word = ""
        for character in Filters.escaped(text) {
            if character.isWhitespace {
                out += try link(word) + String(character)
                word = ""
            } else {
                word.append(character)
            }
        }
        return out + (try link(word))
    }

    private func matches(_ text: String, _ pattern: String) throws(TemplateError) -> Bool {
        try Filters.regex { () throws(PatternError) in
            try Pattern(pattern).firstMatch(in: Array(text.utf8), .start) != nil
        }
    }

    private func shown(_ text: String) -> String {
        guard let limit, text.count > limit else { return text }
        return text.prefix(limit) + "..."
    }

    private func link(_ word: String) throws(TemplateError) -> String {
        var (head, middle, tail) = ("", word[...], "")
        while let opening = ["(", "<", "&lt;"].first(where: { middle.hasPrefix($0) }) {
            head += opening
            middle = middle.dropFirst(opening.count)
        }
        while let closing = [")", ">", ".", ",", "&gt;"].first(where: { middle.hasSuffix($0) }) {
            tail = closing + tail
            middle = middle.dropLast(closing.count)
        }
        // A bracket that the address opens is closed by it, too.
        for (opening, closing) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
            var missing = Self.count(opening, in: middle) - Self.count(closing, in: middle)
            while missing > 0, let end = StringMethods.split(behind: closing, tail) {
                middle += end.head
                tail = end.rest
                missing -= 1
            }
        }
        let text = String(middle)
        if try matches(text, Self.address) {
            let isWhole = text.hasPrefix("https://") || text.hasPrefix("http://")
            return "\(head)<a href=\"\(isWhole ? "" : "https://")\(text)\"\(attributes)>\(shown(text))</a>\(tail)"
        }
        if text.hasPrefix("mailto:"), try matches(String(text.dropFirst(7)), Self.mail) {
            return "\(head)<a href=\"\(text)\">\(text.dropFirst(7))</a>\(tail)"
        }
        let isOther = ["://", "@", ":", "www."].allSatisfy { !text.hasPrefix($0) } && !text.contains(":")
        if text.contains("@"), isOther, try matches(text, Self.mail) {
            return "\(head)<a href=\"mailto:\(text)\">\(text)</a>\(tail)"
        }
        if schemes.contains(where: { text != $0 && text.hasPrefix($0) }) {
            return "\(head)<a href=\"\(text)\"\(attributes)>\(text)</a>\(tail)"
        }
        return word
    }

    private static func count(_ part: String, in text: Substring) -> Int {
        var (count, rest) = (0, String(text))
        while let cut = StringMethods.split(behind: part, rest) { (count, rest) = (count + 1, cut.rest) }
        return count
    }
}

extension StringMethods {
    /// The text up to the end of the first such part, and what follows.
    static func split(behind part: String, _ text: String) -> (head: String, rest: String)? {
        var at = text.startIndex
        while at < text.endIndex {
            if text[at...].hasPrefix(part) {
                let end = text.index(at, offsetBy: part.count)
                return (String(text[..<end]), String(text[end...]))
            }
            at = text.index(after: at)
        }
        return nil
    }
}
