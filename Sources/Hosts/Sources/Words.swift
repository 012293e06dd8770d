/// A word of a line in INI form, and where it begins (in bytes, from 0).
struct Word {
    let text: [UInt8]
    let start: Int
}

/// A quote or backslash without what belongs to it.
struct WordError: Error {
    let message: String
    let start: Int
}

/// Splits as a POSIX shell does: quotes, backslashes, and `#` to the end of the line even inside of a word.
func words(_ line: ArraySlice<UInt8>) throws(WordError) -> [Word] {
    var words: [Word] = []
    var word: [UInt8] = []
    var start: Int?
    var at = line.startIndex
    func offset(_ index: Int) -> Int { index - line.startIndex }
    func end() {
        if let begun = start { words.append(Word(text: word, start: begun)) }
        word = []
        start = nil
    }
    while at < line.endIndex {
        let byte = line[at]
        switch byte {
        case 0x20, 0x09, 0x0d: end()
        case UInt8(ascii: "#"):
            end()
            return words
        case UInt8(ascii: "\\"):
            at += 1
            guard at < line.endIndex else {
                throw WordError(message: "a backslash at the end of the line", start: offset(at - 1))
            }
            start = start ?? offset(at - 1)
            word.append(line[at])
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            let opening = at
            start = start ?? offset(at)
            at += 1
            while at < line.endIndex, line[at] != byte {
                if line[at] == UInt8(ascii: "\\"), byte == UInt8(ascii: "\""), at + 1 < line.endIndex,
                    line[at + 1] == byte || line[at + 1] == UInt8(ascii: "\\")
                {
                    at += 1
                }
                word.append(line[at])
                at += 1
            }
            guard at < line.endIndex else {
                throw WordError(message: "a quote without its partner", start: offset(opening))
            }
        default:
            start = start ?? offset(at)
            word.append(byte)
        }
        at += 1
    }
    end()
    return words
}
