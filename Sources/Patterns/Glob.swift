extension Pattern {
    /// A shell glob as Python's `fnmatch` reads it: `*`, `?`, `[seq]`, `[!seq]`, against the whole text.
    package convenience init(glob: String, _ flags: Flags = []) throws(PatternError) {
        let scalars = Array(glob.unicodeScalars)
        var out = "(?s:"
        var at = 0
        while at < scalars.count {
            let scalar = scalars[at]
            at += 1
            switch scalar {
            case "*":
                if !out.hasSuffix(".*") { out += ".*" }
            case "?": out += "."
            case "[":
                var end = at
                if end < scalars.count, scalars[end] == "!" { end += 1 }
                if end < scalars.count, scalars[end] == "]" { end += 1 }
                while end < scalars.count, scalars[end] != "]" { end += 1 }
                guard end < scalars.count else {
                    out += "\\["
                    continue
                }
                out += Self.characterClass(scalars[at..<end])
                at = end + 1
            default: out += Pattern.escape(String(Character(scalar)))
            }
        }
        try self.init(out + ")\\Z", flags)
    }

    private static func characterClass(_ body: ArraySlice<Unicode.Scalar>) -> String {
        var text = ""
        for (index, scalar) in body.enumerated() {
            switch scalar {
            case "!" where index == 0: text += "^"
            case "^" where index == 0, "\\", "[", "]":
                text += "\\"
                text.unicodeScalars.append(scalar)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return "[\(text)]"
    }

    /// Whether the whole text matches.
    package func matchesWhole(_ text: String) throws(PatternError) -> Bool { try fullMatch(text) != nil }
}
