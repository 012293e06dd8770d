// Looking for text in text, on UTF-8. The library that Swift brings for it would make the agent a tenth larger.

extension StringProtocol {
    /// The first place where `other` stands.
    package func firstRange(of other: some StringProtocol) -> Range<Index>? {
        range(of: Array(other.utf8), from: startIndex)
    }

    package func contains(_ other: some StringProtocol) -> Bool { firstRange(of: other) != nil }

    /// Every place where `other` stands; they do not overlap.
    package func ranges(of other: some StringProtocol) -> [Range<Index>] {
        let wanted = Array(other.utf8)
        guard !wanted.isEmpty else { return [] }
        var found: [Range<Index>] = []
        var start = startIndex
        while let range = range(of: wanted, from: start) {
            found.append(range)
            start = range.upperBound
        }
        return found
    }

    /// With `new` for `other`, wherever it stands or in the first `maxReplacements` places.
    package func replacing(
        _ other: some StringProtocol, with new: some StringProtocol, maxReplacements: Int = .max
    ) -> String {
        var out = ""
        var start = startIndex
        for range in ranges(of: other).prefix(maxReplacements) {
            out += self[start..<range.lowerBound]
            out += String(new)
            start = range.upperBound
        }
        return out + self[start...]
    }

    /// The parts between the places where `separator` stands.
    package func split(
        separator: some StringProtocol, maxSplits: Int = .max, omittingEmptySubsequences: Bool = true
    ) -> [SubSequence] {
        var parts: [SubSequence] = []
        var start = startIndex
        for range in ranges(of: separator) {
            if parts.count >= maxSplits { break }
            if !omittingEmptySubsequences || start < range.lowerBound { parts.append(self[start..<range.lowerBound]) }
            start = range.upperBound
        }
        if !omittingEmptySubsequences || start < endIndex { parts.append(self[start...]) }
        return parts
    }

    package func trimmingPrefix(_ prefix: some StringProtocol) -> SubSequence {
        hasPrefix(prefix) ? self[index(startIndex, offsetBy: prefix.count)...] : self[startIndex...]
    }

    private func range(of wanted: [UInt8], from start: Index) -> Range<Index>? {
        utf8.firstRange(of: wanted, from: start)
    }
}

extension Collection<UInt8> {
    package func contains(_ wanted: [UInt8]) -> Bool { firstRange(of: wanted, from: startIndex) != nil }

    /// The first place at or after `start` where the bytes stand; nothing stands everywhere.
    fileprivate func firstRange(of wanted: [UInt8], from start: Index) -> Range<Index>? {
        guard let first = wanted.first else { return start..<start }
        var candidate = start
        while let found = self[candidate...].firstIndex(of: first) {
            var index = found
            var position = 0
            while position < wanted.count, index < endIndex, self[index] == wanted[position] {
                formIndex(after: &index)
                position += 1
            }
            if position == wanted.count { return found..<index }
            candidate = self.index(after: found)
        }
        return nil
    }
}

extension StringProtocol {
    /// Without blanks at both ends.
    package var trimmed: String {
        var part = self[startIndex..<endIndex]
        while let first = part.first, first.isWhitespace { part = part.dropFirst() }
        while let last = part.last, last.isWhitespace { part = part.dropLast() }
        return String(part)
    }
}
