// Looking for text in text, on UTF-8. The library that Swift brings for it would make the agent a tenth larger.
// What walks through bytes is written for one type: a generic walk, called from another module, asks for its types anew
// at every byte.

extension StringProtocol where SubSequence == Substring {
    /// The first place where `other` stands.
    package func firstRange(of other: String) -> Range<Index>? { self[...].places(of: other, limit: 1).first }

    package func contains(_ other: String) -> Bool { self[...].holds(other) }
    package func contains(_ other: Substring) -> Bool { contains(String(other)) }

    /// Every place where `other` stands; they do not overlap.
    package func ranges(of other: String) -> [Range<Index>] { self[...].places(of: other, limit: .max) }

    /// With `new` for `other`, wherever it stands or in the first `maxReplacements` places.
    package func replacing(_ other: String, with new: String, maxReplacements: Int = .max) -> String {
        var out = ""
        var start = startIndex
        for range in self[...].places(of: other, limit: maxReplacements) {
            out += self[start..<range.lowerBound]
            out += new
            start = range.upperBound
        }
        return out + self[start...]
    }

    /// The parts between the places where `separator` stands.
    package func split(
        separator: String, maxSplits: Int = .max, omittingEmptySubsequences: Bool = true
    ) -> [Substring] {
        self[...].parts(between: separator, maxSplits, omittingEmptySubsequences)
    }

    package func trimmingPrefix(_ prefix: String) -> Substring {
        hasPrefix(prefix) ? self[index(startIndex, offsetBy: prefix.count)...] : self[startIndex...]
    }

    /// Without blanks at both ends.
    package var trimmed: String { self[...].withoutBlanks }
}

extension Substring {
    /// The first places where `wanted` stands, at most `limit`; nothing stands nowhere.
    fileprivate func places(of wanted: String, limit: Int) -> [Range<Index>] {
        let wanted = wanted.utf8Span.span
        let bytes = utf8Span.span
        var found: [Range<Index>] = []
        var start = 0
        while !wanted.isEmpty, found.count < limit, let place = bytes.place(of: wanted, from: start) {
            start = place + wanted.count
            found.append(index(place)..<index(start))
        }
        return found
    }

    fileprivate func holds(_ wanted: String) -> Bool {
        utf8Span.span.place(of: wanted.utf8Span.span, from: 0) != nil
    }

    fileprivate func parts(between separator: String, _ maxSplits: Int, _ omitting: Bool) -> [Substring] {
        var parts: [Substring] = []
        var start = startIndex
        for range in places(of: separator, limit: .max) {
            if parts.count >= maxSplits { break }
            if !omitting || start < range.lowerBound { parts.append(self[start..<range.lowerBound]) }
            start = range.upperBound
        }
        if !omitting || start < endIndex { parts.append(self[start...]) }
        return parts
    }

    private func index(_ offset: Int) -> Index { utf8.index(startIndex, offsetBy: offset) }

    fileprivate var withoutBlanks: String {
        let bytes = utf8Span.span
        var (first, end) = (0, bytes.count)
        while first < end, bytes[first].isBlank { first += 1 }
        while first < end, bytes[end - 1].isBlank { end -= 1 }
        // Beside ASCII a blank byte is a character by itself. Elsewhere it may be a part of one, or others are blank.
        let isPlain = first == end || bytes[first] < 0x80 && bytes[end - 1] < 0x80
        if isPlain { return String(self[index(first)..<index(end)]) }
        var part = self
        while let first = part.first, first.isWhitespace { part = part.dropFirst() }
        while let last = part.last, last.isWhitespace { part = part.dropLast() }
        return String(part)
    }
}

extension [UInt8] {
    package func contains(_ wanted: [UInt8]) -> Bool { firstPlace(of: wanted) != nil }

    /// Where the bytes stand first.
    package func firstPlace(of wanted: [UInt8]) -> Int? { span.place(of: wanted.span, from: 0) }
}

extension Span<UInt8> {
    /// The first place at or after `start` where the bytes stand; nothing stands everywhere.
    fileprivate func place(of wanted: Span<UInt8>, from start: Int) -> Int? {
        guard !wanted.isEmpty else { return start }
        let first = wanted[0]
        var candidate = start
        while candidate <= count - wanted.count {
            if self[candidate] == first {
                var matched = 1
                while matched < wanted.count, self[candidate + matched] == wanted[matched] { matched += 1 }
                if matched == wanted.count { return candidate }
            }
            candidate += 1
        }
        return nil
    }
}

extension UInt8 {
    /// A blank of ASCII.
    fileprivate var isBlank: Bool { self == 32 || (9...13).contains(self) }
}
