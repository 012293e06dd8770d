import Values

extension Filters {
    static func addText(_ table: inout FilterTable) {
        for name in ["upper", "lower", "capitalize"] {
            table.add(name) { (c) throws(TemplateError) in .string(StringMethods.cased(name, try c.string())) }
        }
        table.add("title") { (c) throws(TemplateError) in .string(title(try c.string())) }
        table.add("trim", parameters: ["chars"]) { (c) throws(TemplateError) in
            if let given = c[0], !given.isNull, given.text == nil {
                throw TemplateError("strip arg must be None or str")
            }
            return .string(StringMethods.strip(try c.string(), try c.text(0)))
        }
        table.add("string") { (c) throws(TemplateError) in
            if case .string = c.value { return c.value }
            return .string(try c.string())
        }
        table.add("replace", parameters: ["old", "new", "count"], required: 2) { (c) throws(TemplateError) in
            if let count = c[2], !count.isNull, count.int == nil {
                throw TemplateError("the count has to be a whole number, not '\(count.typeName)'")
            }
            let result = StringMethods.replace(
                try c.string(), try c.text(0) ?? "None", try c.text(1) ?? "None", try c.int(2) ?? -1)
            try c.evaluator.countOutput(result.utf8.count)
            return .string(result)
        }
        table.add("split", parameters: ["sep", "maxsplit"]) { (c) throws(TemplateError) in
            .strings(try StringMethods.split(try c.strictString(), try c.text(0), try c.int(1) ?? -1))
        }
        table.add("center", parameters: ["width"]) { (c) throws(TemplateError) in
            let text = try c.string()
            let width = max(0, try c.index(0) ?? 80)
            let missing = max(0, width - text.unicodeScalars.count)
            try c.evaluator.countOutput(missing)
            let left = missing / 2 + (missing & width & 1)
            return .string(
                String(repeating: " ", count: left) + text + String(repeating: " ", count: missing - left))
        }
        table.add("indent", parameters: ["width", "first", "blank"]) { (c) throws(TemplateError) in
            var prefix = "    "
            if let text = c[0]?.text { prefix = text } else if let width = try c.index(0) {
                try c.evaluator.countOutput(max(0, width))
                prefix = String(repeating: " ", count: max(0, width))
            }
            return .string(indented(try c.strictString(), prefix, first: try c.flag(1), blank: try c.flag(2)))
        }
        table.add("format", isOpen: true) { (c) throws(TemplateError) in
            if !c.call.positional.isEmpty, !c.call.named.isEmpty {
                throw TemplateError("can't handle positional and keyword arguments at the same time")
            }
            let operand: Datum
            if c.call.named.isEmpty { operand = .tuple(c.call.positional) } else {
                let box = DictBox()
                for (key, value) in c.call.named { box[key] = value }
                operand = .dict(box)
            }
            return .string(try PercentFormat.apply(try c.string(), operand, c.evaluator))
        }
        addWords(&table)
    }

    private static func addWords(_ table: inout FilterTable) {
        table.add("wordcount") { (c) throws(TemplateError) in
            let isWord: (Character) -> Bool = { $0.isLetter || $0.isNumber || $0 == "_" }
            return .int(try c.string().split { !isWord($0) }.count)
        }
        table.add("truncate", parameters: ["length", "killwords", "end", "leeway"]) { (c) throws(TemplateError) in
            let length = try c.size(0) ?? 255
            let end = try c.text(2) ?? "..."
            let room = max(length, -0xffff_ffff) - end.unicodeScalars.count
            let leeway = try c.int(3) ?? 5
            let most = length.addingReportingOverflow(leeway)
            let limit = most.overflow ? .max : most.partialValue
            guard room >= 0 else { throw TemplateError("expected length >= \(end.count), got \(length)") }
            switch c.value {
            case .list, .tuple, .dict:
                if try c.items().count <= limit { return c.value }
            default: break
            }
            let text = Array(try c.strictString().unicodeScalars)
            if text.count <= limit { return .string(String(String.UnicodeScalarView(text))) }
            var kept = Array(text.prefix(room))
            if !(try c.flag(1)), let blank = kept.lastIndex(of: " ") { kept = Array(kept[..<blank]) }
            return .string(String(String.UnicodeScalarView(kept)) + end)
        }
        table.add("wordwrap", parameters: ["width", "break_long_words", "wrapstring", "break_on_hyphens"]) {
            (c) throws(TemplateError) in
            let wrap = try c.text(2) ?? "\n"
            let width = try c.size(0) ?? 79
            guard width > 0 else { throw TemplateError("invalid width \(width) (must be > 0)") }
            let lines = StringMethods.lines(try c.strictString())
            var out: [String] = []
            for line in lines {
                out.append(
                    wrapped(line, width, breakLong: try c.flag(1, true), hyphens: try c.flag(3, true))
                        .joined(separator: wrap))
            }
            return .string(out.joined(separator: wrap))
        }
        table.add("comment", parameters: [
            "style", "decoration", "newline", "beginning", "prefix", "prefix_count", "postfix", "postfix_count", "end",
        ]) { (c) throws(TemplateError) in .string(try comment(c)) }
        table.add("quote") { (c) throws(TemplateError) in
            if c.value.isNull { return .string("''") }
            return .string(quoted(try c.string()))
        }
    }

    /// Python's `shlex.quote`.
    static func quoted(_ text: String) -> String {
        let safe = text.utf8.allSatisfy { byte in
            (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
                || "@%_-+=:,./".utf8.contains(byte)
        }
        if text.isEmpty { return "''" }
        return safe ? text : "'" + StringMethods.replace(text, "'", "'\"'\"'") + "'"
    }

    /// Jinja2's title case: words begin behind blanks, hyphens and opening brackets.
    private static func title(_ text: String) -> String {
        var out = ""
        var atStart = true
        for scalar in text.unicodeScalars {
            if scalar == "-" || "({[<".unicodeScalars.contains(scalar) || StringMethods.isSpace(scalar) {
                out.unicodeScalars.append(scalar)
                atStart = true
            } else {
                out += atStart ? scalar.properties.uppercaseMapping : scalar.properties.lowercaseMapping
                atStart = false
            }
        }
        return out
    }

    private static func indented(_ text: String, _ prefix: String, first: Bool, blank: Bool) -> String {
        // A newline is added as in Jinja2, so that a last empty line counts as one.
        let lines = blank
            ? (text + "\n").split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
            : StringMethods.lines(text + "\n")
        var out = ""
        if blank {
            out = lines.joined(separator: "\n" + prefix)
        } else {
            for (index, line) in lines.enumerated() {
                if index > 0 { out += "\n" }
                out += index > 0 && !line.isEmpty ? prefix + line : line
            }
        }
        return first ? prefix + out : out
    }

    /// Where a line may be broken: at blanks, around dashes between words, and behind hyphens between letters.
    private static func chunks(_ line: [Character], _ hyphens: Bool) -> [String] {
        func isLetter(_ at: Int) -> Bool { line.indices.contains(at) && (line[at].isLetter || line[at] == "_") }
        func isHyphen(_ at: Int) -> Bool { line.indices.contains(at) && line[at] == "-" }
        func isBlank(_ at: Int) -> Bool { line.indices.contains(at) && (line[at] == " " || line[at] == "\t") }
        func isWord(_ at: Int) -> Bool { isLetter(at) || line.indices.contains(at) && line[at].isNumber }
        func isDash(_ run: Range<Int>) -> Bool {
            let leads = isWord(run.lowerBound - 1)
                || run.lowerBound > 0 && "!\"'&.,?".contains(line[run.lowerBound - 1])
            return hyphens && run.count > 1 && leads && isWord(run.upperBound)
        }
        var chunks: [String] = []
        var start = 0
        func cut(_ end: Int) {
            if end > start { chunks.append(String(line[start..<end])) }
            start = end
        }
        var at = 0
        while at < line.count {
            if at > start, isBlank(at) != isBlank(at - 1) { cut(at) }
            var end = at
            while isHyphen(end) { end += 1 }
            if isDash(at..<end) {
                cut(at)
                cut(end)
                at = end
                continue
            }
            let behind = isLetter(at - 1) && (isLetter(at - 2) || isHyphen(at - 2) && isLetter(at - 3))
            let ahead = isLetter(at + 1) && (isLetter(at + 2) || isHyphen(at + 2) && isLetter(at + 3))
            at += 1
            if hyphens, isHyphen(at - 1), behind, ahead { cut(at) }
        }
        cut(line.count)
        return chunks
    }

    /// Python's `textwrap.wrap` of one line, with blanks kept inside.
    private static func wrapped(_ line: String, _ width: Int, breakLong: Bool, hyphens: Bool) -> [String] {
        let chunks = chunks(Array(line), hyphens)
        var lines: [String] = []
        var current = ""
        var queue = Array(chunks.reversed())
        while let chunk = queue.popLast() {
            if current.isEmpty, !lines.isEmpty, chunk.allSatisfy({ $0 == " " || $0 == "\t" }) { continue }
            if current.count + chunk.count <= width {
                current += chunk
                continue
            }
            // A word that is cut where nothing is left of the line keeps the blank before it.
            var keepsBlank = false
            if chunk.count > width {
                let room = max(current.isEmpty ? 1 : 0, width - current.count)
                if breakLong {
                    var end = room
                    let head = chunk.prefix(room)
                    if hyphens, let last = head.lastIndex(of: "-"), head[..<last].contains(where: { $0 != "-" }) {
                        end = head.distance(from: head.startIndex, to: last) + 1
                    }
                    keepsBlank = end == 0
                    current += chunk.prefix(end)
                    queue.append(String(chunk.dropFirst(end)))
                } else if current.isEmpty {
                    current = chunk
                } else {
                    queue.append(chunk)
                }
            } else {
                queue.append(chunk)
            }
            while !keepsBlank, current.last == " " || current.last == "\t" { current.removeLast() }
            if !current.isEmpty { lines.append(current) }
            current = ""
        }
        while current.last == " " || current.last == "\t" { current.removeLast() }
        return current.isEmpty ? lines : lines + [current]
    }

    private static func comment(_ c: FilterCall) throws(TemplateError) -> String {
        let styles: [String: [String: String]] = [
            "plain": ["decoration": "# "], "erlang": ["decoration": "% "], "c": ["decoration": "// "],
            "cblock": ["beginning": "/*", "decoration": " * ", "end": " */"],
            "xml": ["beginning": "<!--", "decoration": " - ", "end": "-->"],
        ]
        let name = try c.text(0) ?? "plain"
        guard let style = styles[name] else {
            throw TemplateError(
                "there is no comment style '\(name)'", hint: "known: \(styles.keys.sorted().joined(separator: ", "))",
                words: "Invalid style '\(name)'.")
        }
        let decoration = try c.text(1) ?? style["decoration"] ?? ""
        let newline = try c.text(2) ?? "\n"
        let beginning = try c.text(3) ?? style["beginning"] ?? ""
        let bare = StringMethods.strip(decoration, left: false)
        let prefix = try c.text(4) ?? bare
        let postfix = try c.text(6) ?? bare
        let end = try c.text(8) ?? style["end"] ?? ""
        var out = beginning.isEmpty ? "" : beginning + newline
        if !prefix.isEmpty {
            let line = prefix == newline ? newline : prefix + newline
            out += String(repeating: line, count: max(0, try c.int(5) ?? 1))
        }
        let lines = StringMethods.replace(try c.strictString(), newline, newline + decoration)
        out += StringMethods.replace(decoration + lines, decoration + newline, bare + newline)
        for _ in 0..<max(0, try c.int(7) ?? 1) { out += newline + postfix }
        return end.isEmpty ? out : out + newline + end
    }
}
