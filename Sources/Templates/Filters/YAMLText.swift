import Patterns
import Values

/// YAML as PyYAML's dumper writes it: the same quoting, folding and indentation.
struct YAMLText {
    struct Style {
        var indent = 2
        var width = 80
        var sortKeys = true
        /// `nil` writes collections of plain scalars in one line, `false` none, `true` all.
        var flow: Bool?
        var allowUnicode = true
        var explicitStart = false
        var explicitEnd = false
        /// The quotes every string gets: `"'"`, `"\""`, or none but where needed.
        var quotes: String?
    }

    private let style: Style
    private var out = ""
    private var column = 0
    private var isWhitespace = true
    private var isIndention = true
    private var indent: Int?
    private var indents: [Int?] = []
    private var flowLevel = 0
    private var isOpenEnded = false

    private init(_ style: Style) { self.style = style }

    static func of(_ value: Value, _ style: Style) -> String {
        var writer = YAMLText(style)
        if style.explicitStart {
            writer.write("---")
            writer.isWhitespace = false
            writer.isIndention = false
            if value.isCollection { writer.lineBreakForRoot(value) }
        }
        writer.node(value, root: true)
        if writer.column > 0 { writer.lineBreak() }
        if writer.isOpenEnded || style.explicitEnd { writer.out += "...\n" }
        return writer.out
    }

    private mutating func lineBreakForRoot(_ value: Value) { if !isFlow(value) { lineBreak() } }

    private mutating func write(_ text: String) {
        out += text
        column += text.unicodeScalars.count
    }

    private mutating func lineBreak() {
        out += "\n"
        column = 0
        isWhitespace = true
        isIndention = true
    }

    private mutating func writeIndent() {
        let wanted = indent ?? 0
        if !isIndention || column > wanted || (column == wanted && !isWhitespace) { lineBreak() }
        if column < wanted {
            isWhitespace = true
            write(String(repeating: " ", count: wanted - column))
        }
    }

    private mutating func indicator(_ text: String, blank: Bool, whitespace: Bool = false, indention: Bool = false) {
        write(isWhitespace || !blank ? text : " " + text)
        isWhitespace = whitespace
        isIndention = isIndention && indention
    }

    private mutating func increaseIndent(flow: Bool, indentless: Bool = false) {
        indents.append(indent)
        if let current = indent {
            if !indentless { indent = current + style.indent }
        } else {
            indent = flow ? style.indent : 0
        }
    }

    private mutating func node(_ value: Value, root: Bool = false, mapping: Bool = false, key: Bool = false) {
        switch value {
        case .list(let list):
            if flowLevel > 0 || isFlow(value) { return flowSequence(list) }
            increaseIndent(flow: false, indentless: mapping && !isIndention)
            for item in list {
                writeIndent()
                indicator("-", blank: true, indention: true)
                node(item)
            }
            indent = indents.popLast() ?? nil
        case .dict(let dict):
            if flowLevel > 0 || isFlow(value) { return flowMapping(dict) }
            increaseIndent(flow: false)
            for (key, item) in sorted(dict) {
                writeIndent()
                pair(key, item)
            }
            indent = indents.popLast() ?? nil
        default: scalar(value, root: root, key: key)
        }
    }

    private mutating func pair(_ key: Value, _ item: Value) {
        if isSimple(key) {
            node(key, key: true)
            indicator(":", blank: false)
        } else {
            indicator("?", blank: true, indention: flowLevel == 0)
            node(key, mapping: true)
            if flowLevel == 0 { writeIndent() }
            indicator(":", blank: true, indention: flowLevel == 0)
        }
        node(item, mapping: true)
    }

    private mutating func flowSequence(_ list: [Value]) {
        indicator("[", blank: true, whitespace: true)
        flowLevel += 1
        increaseIndent(flow: true)
        for (index, item) in list.enumerated() {
            if index > 0 { indicator(",", blank: false) }
            if column > style.width { writeIndent() }
            node(item)
        }
        indent = indents.popLast() ?? nil
        flowLevel -= 1
        indicator("]", blank: false)
    }

    private mutating func flowMapping(_ dict: Dict) {
        indicator("{", blank: true, whitespace: true)
        flowLevel += 1
        increaseIndent(flow: true)
        for (index, (key, item)) in sorted(dict).enumerated() {
            if index > 0 { indicator(",", blank: false) }
            if column > style.width { writeIndent() }
            pair(key, item)
        }
        indent = indents.popLast() ?? nil
        flowLevel -= 1
        indicator("}", blank: false)
    }

    private func sorted(_ dict: Dict) -> [(Value, Value)] {
        let pairs = dict.elements.map { ($0.key, $0.value) }
        guard style.sortKeys else { return pairs }
        if pairs.allSatisfy({ $0.0.text != nil }) {
            return pairs.sorted { Value.precedes($0.0.text ?? "", $1.0.text ?? "") }
        }
        if pairs.allSatisfy({ $0.0.number != nil }) { return pairs.sorted { $0.0.number ?? 0 < $1.0.number ?? 0 } }
        return pairs
    }

    private func isFlow(_ value: Value) -> Bool {
        switch value {
        case .list(let list):
            if list.isEmpty { return true }
            return style.flow ?? list.allSatisfy(isPlainNode)
        case .dict(let dict):
            if dict.isEmpty { return true }
            return style.flow ?? dict.allSatisfy { isPlainNode($0.key) && isPlainNode($0.value) }
        default: return false
        }
    }

    private func isPlainNode(_ value: Value) -> Bool { !value.isCollection && style.quotes == nil }

    private func isSimple(_ key: Value) -> Bool {
        switch key {
        case .list(let list): return list.isEmpty
        case .dict(let dict): return dict.isEmpty
        default:
            let text = Self.text(key)
            return !text.isEmpty && text.unicodeScalars.count < 128
                && !ScalarAnalysis(text, allowUnicode: style.allowUnicode).isMultiline
        }
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .null: return "null"
        case .bool(let bool): return bool ? "true" : "false"
        case .double(let double):
            if double.isNaN { return ".nan" }
            if double.isInfinite { return double < 0 ? "-.inf" : ".inf" }
            let plain = Value.repr(of: double)
            guard !plain.contains("."), let e = plain.firstIndex(of: "e") else { return plain }
            return plain[..<e] + ".0" + plain[e...]
        default: return value.pythonText
        }
    }

    // MARK: Scalars

    private mutating func scalar(_ value: Value, root: Bool, key: Bool) {
        let text = Self.text(value)
        let analysis = ScalarAnalysis(text, allowUnicode: style.allowUnicode)
        let isString = value.text != nil
        let plainMeansThis = !isString || !ScalarAnalysis.hasOtherType(text)
        let quotes = style.quotes
        let allowsPlain = flowLevel > 0 ? analysis.allowsFlowPlain : analysis.allowsBlockPlain
        if quotes == nil, plainMeansThis, allowsPlain, !(key && (text.isEmpty || analysis.isMultiline)) {
            plain(text, split: !key, root: root)
        } else if quotes != "\"", analysis.allowsSingleQuoted, !(key && analysis.isMultiline) {
            singleQuoted(text, split: !key)
        } else {
            doubleQuoted(text, split: !key)
        }
    }

    private mutating func plain(_ text: String, split: Bool, root: Bool) {
        if root { isOpenEnded = true }
        if text.isEmpty { return }
        if !isWhitespace { write(" ") }
        isWhitespace = false
        isIndention = false
        let scalars = Array(text.unicodeScalars)
        var start = 0
        var inSpaces = false
        for end in 0...scalars.count {
            let next: Unicode.Scalar? = end < scalars.count ? scalars[end] : nil
            if inSpaces {
                if next != " " {
                    if start + 1 == end, column > style.width, split {
                        writeIndent()
                        isWhitespace = false
                        isIndention = false
                    } else {
                        write(scalars[start..<end])
                    }
                    start = end
                }
            } else if next == nil || next == " " {
                write(scalars[start..<end])
                start = end
            }
            inSpaces = next == " "
        }
    }

    private mutating func write(_ scalars: ArraySlice<Unicode.Scalar>) {
        out.unicodeScalars += scalars
        column += scalars.count
    }

    private mutating func singleQuoted(_ text: String, split: Bool) {
        indicator("'", blank: true)
        let scalars = Array(text.unicodeScalars)
        var start = 0
        var inSpaces = false
        var inBreaks = false
        for end in 0...scalars.count {
            let next: Unicode.Scalar? = end < scalars.count ? scalars[end] : nil
            if inSpaces {
                if next != " " {
                    if start + 1 == end, column > style.width, split, start != 0, end != scalars.count {
                        writeIndent()
                    } else {
                        write(scalars[start..<end])
                    }
                    start = end
                }
            } else if inBreaks {
                if next.map({ !ScalarAnalysis.isBreak($0) }) ?? true {
                    if scalars[start] == "\n" { lineBreak() }
                    for _ in start..<end { lineBreak() }
                    writeIndent()
                    start = end
                }
            } else if next.map({ $0 == " " || $0 == "'" || ScalarAnalysis.isBreak($0) }) ?? true, start < end {
                write(scalars[start..<end])
                start = end
            }
            if next == "'" {
                write("''")
                start = end + 1
            }
            inSpaces = next == " "
            inBreaks = next.map(ScalarAnalysis.isBreak) ?? false
        }
        indicator("'", blank: false)
    }

    private static let escapes: [Unicode.Scalar: String] = [
        "\0": "0", "\u{7}": "a", "\u{8}": "b", "\t": "t", "\n": "n", "\u{b}": "v", "\u{c}": "f", "\r": "r",
        "\u{1b}": "e", "\"": "\"", "\\": "\\", "\u{85}": "N", "\u{a0}": "_", "\u{2028}": "L", "\u{2029}": "P",
    ]

    private func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x22, 0x5c, 0x85, 0x2028, 0x2029, 0xfeff: false
        case 0x20...0x7e: true
        case 0xa0...0xd7ff, 0xe000...0xfffd: style.allowUnicode
        default: false
        }
    }

    private mutating func doubleQuoted(_ text: String, split: Bool) {
        indicator("\"", blank: true)
        let scalars = Array(text.unicodeScalars)
        var start = 0
        for end in 0...scalars.count {
            let next: Unicode.Scalar? = end < scalars.count ? scalars[end] : nil
            if next.map({ !isShown($0) }) ?? true {
                if start < end { write(scalars[start..<end]) }
                start = end
                if let next {
                    write(Self.escape(next))
                    start = end + 1
                }
            }
            if end > 0, end < scalars.count - 1, next == " " || start >= end,
                column + (end - start) > style.width, split
            {
                if start < end {
                    write(scalars[start..<end])
                    start = end
                }
                write("\\")
                writeIndent()
                isWhitespace = false
                isIndention = false
                if scalars[start] == " " { write("\\") }
            }
        }
        indicator("\"", blank: false)
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        if let letter = escapes[scalar] { return "\\" + letter }
        let hex = String(scalar.value, radix: 16).uppercased()
        let (letter, width) = scalar.value <= 0xff ? ("x", 2) : scalar.value <= 0xffff ? ("u", 4) : ("U", 8)
        return "\\\(letter)" + String(repeating: "0", count: width - hex.count) + hex
    }
}

extension Value {
    fileprivate var isCollection: Bool {
        switch self {
        case .list, .dict: true
        default: false
        }
    }
}

/// What YAML allows for a scalar.
private struct ScalarAnalysis {
    private(set) var isMultiline = false
    private(set) var allowsFlowPlain = true
    private(set) var allowsBlockPlain = true
    private(set) var allowsSingleQuoted = true

    static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\n" || scalar == "\u{85}" || scalar == "\u{2028}" || scalar == "\u{2029}"
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\0" || scalar == " " || scalar == "\t" || scalar == "\r" || isBreak(scalar)
    }

    init(_ text: String, allowUnicode: Bool) {
        let scalars = Array(text.unicodeScalars)
        if scalars.isEmpty {
            allowsFlowPlain = false
            return
        }
        var inBlock = text.hasPrefix("---") || text.hasPrefix("...")
        var inFlow = inBlock
        var special = false
        var spaceThenBreak = false
        var breakThenSpace = false
        var wasSpace = false
        var wasBreak = false
        for (index, scalar) in scalars.enumerated() {
            let before = index == 0 || Self.isBlank(scalars[index - 1])
            let after = index + 1 >= scalars.count || Self.isBlank(scalars[index + 1])
            if index == 0 {
                if "#,[]{}&*!|>'\"%@`".unicodeScalars.contains(scalar) { (inFlow, inBlock) = (true, true) }
                if scalar == "?" || scalar == ":" {
                    inFlow = true
                    if after { inBlock = true }
                }
                if scalar == "-", after { (inFlow, inBlock) = (true, true) }
            } else {
                if ",?[]{}".unicodeScalars.contains(scalar) { inFlow = true }
                if scalar == ":" {
                    inFlow = true
                    if after { inBlock = true }
                }
                if scalar == "#", before { (inFlow, inBlock) = (true, true) }
            }
            if Self.isBreak(scalar) { isMultiline = true }
            if scalar != "\n", !(0x20...0x7e).contains(scalar.value) {
                let unicode = scalar.value == 0x85 || (scalar.value >= 0xa0 && scalar.value <= 0xd7ff)
                    || (scalar.value >= 0xe000 && scalar.value <= 0xfffd) || scalar.value >= 0x10000
                if !unicode || scalar == "\u{feff}" || !allowUnicode { special = true }
            }
            if scalar == " " {
                if wasBreak { breakThenSpace = true }
                (wasSpace, wasBreak) = (true, false)
            } else if Self.isBreak(scalar) {
                if wasSpace { spaceThenBreak = true }
                (wasSpace, wasBreak) = (false, true)
            } else {
                (wasSpace, wasBreak) = (false, false)
            }
        }
        let edges = [scalars[0], scalars[scalars.count - 1]]
        if isMultiline || special || spaceThenBreak || breakThenSpace
            || edges.contains(where: { $0 == " " || Self.isBreak($0) })
        {
            allowsFlowPlain = false
            allowsBlockPlain = false
        }
        if inFlow { allowsFlowPlain = false }
        if inBlock { allowsBlockPlain = false }
        if special || spaceThenBreak || breakThenSpace { allowsSingleQuoted = false }
    }

    private static let words: Set<String> = [
        "", "~", "null", "Null", "NULL", "yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE", "false", "False",
        "FALSE", "on", "On", "ON", "off", "Off", "OFF", "<<", "=",
    ]
    private static let float =
        #"[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"#
        + #"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"#
    private static let whole =
        "[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+"
        + "|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+"
    private static let moment =
        "[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \\t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}"
        + "(?:\\.[0-9]*)?(?:[ \\t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?"
    private static let typed = try? Pattern("\(float)|\(whole)|\(moment)")

    /// Whether YAML would read the plain text as something else than a string.
    static func hasOtherType(_ text: String) -> Bool {
        if words.contains(text) { return true }
        guard let first = text.unicodeScalars.first, "+-.0123456789".unicodeScalars.contains(first) else { return false }
        return (try? typed?.matchesWhole(text)) ?? false
    }
}
