import Values
import CPCRE2

/// A pattern that is not a regular expression, or a search that took too long.
package struct PatternError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One line, lower case: what is wrong.
    package let message: String
    /// Where in the pattern, in characters from 0; `nil` when it is not about a place.
    package let position: Int?

    package init(_ message: String, at position: Int? = nil) {
        self.message = message
        self.position = position
    }

    package var description: String { position.map { "\(message) at position \($0)" } ?? message }
}

/// A compiled regular expression with the syntax and the meaning of Python's `re`.
///
/// Compiled once, used by any number of threads. Searches text (`String`, characters of Unicode) or, when made for
/// bytes, raw bytes that need not be UTF-8, where classes such as `\w` know ASCII only, as in Python.
package final class Pattern: Sendable {
    package struct Flags: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }
        package static let ignoreCase = Flags(rawValue: 1)
        package static let multiline = Flags(rawValue: 2)
        package static let dotAll = Flags(rawValue: 4)
        package static let verbose = Flags(rawValue: 8)
        /// Classes know ASCII only.
        package static let ascii = Flags(rawValue: 16)
        /// The subject is bytes.
        package static let bytes = Flags(rawValue: 32)
    }

    /// The pattern as it was given.
    package let source: String
    package let flags: Flags
    /// The number of groups.
    package let groupCount: Int
    /// The numbers of the groups that have names.
    package let groupNames: [String: Int]
    private let code: CompiledCode

    package init(_ python: String, _ flags: Flags = []) throws(PatternError) {
        var translation = PatternTranslation(python, verbose: flags.contains(.verbose))
        try translation.run()
        let all = flags.union(translation.globalFlags)
        code = try CompiledCode(translation.out, Self.options(all))
        source = python
        self.flags = all
        groupCount = translation.groupCount
        groupNames = translation.groupNames
    }

    private static func options(_ flags: Flags) -> UInt32 {
        var options = PCRE2_ALT_CIRCUMFLEX | PCRE2_NEVER_BACKSLASH_C
        if !flags.contains(.bytes) { options |= PCRE2_UTF | PCRE2_NO_UTF_CHECK }
        if !flags.contains(.bytes), !flags.contains(.ascii) { options |= PCRE2_UCP }
        if flags.contains(.ignoreCase) { options |= PCRE2_CASELESS }
        if flags.contains(.multiline) { options |= PCRE2_MULTILINE }
        if flags.contains(.dotAll) { options |= PCRE2_DOTALL }
        if flags.contains(.verbose) { options |= PCRE2_EXTENDED }
        return options
    }

    /// How a match must lie in its subject.
    package enum Position: Sendable { case anywhere, start, whole }

    /// The first match in `subject[start...]`. Offsets count bytes; `start` must not lie inside a character.
    package func firstMatch(
        in subject: [UInt8], _ position: Position = .anywhere, from start: Int = 0, allowEmptyAtStart: Bool = true
    ) throws(PatternError) -> Match? {
        var options = flags.contains(.bytes) ? 0 : PCRE2_NO_UTF_CHECK
        if !allowEmptyAtStart { options |= PCRE2_NOTEMPTY_ATSTART }
        if position != .anywhere { options |= PCRE2_ANCHORED }
        if position == .whole { options |= PCRE2_ENDANCHORED }
        guard let ranges = try code.match(subject, from: start, options, groups: groupCount) else { return nil }
        return Match(subject: subject, ranges: ranges, groupNames: groupNames)
    }

    /// Python's `search`: the first match anywhere.
    package func search(_ text: String) throws(PatternError) -> Match? { try firstMatch(in: Array(text.utf8)) }
    /// Python's `match`: at the start.
    package func match(_ text: String) throws(PatternError) -> Match? { try firstMatch(in: Array(text.utf8), .start) }
    /// Python's `fullmatch`: the whole text.
    package func fullMatch(_ text: String) throws(PatternError) -> Match? {
        try firstMatch(in: Array(text.utf8), .whole)
    }

    /// All matches from left to right that do not overlap; at most `limit` where that is not 0.
    package func matches(in subject: [UInt8], limit: Int = 0) throws(PatternError) -> [Match] {
        var found: [Match] = []
        var start = 0
        var emptyAllowed = true
        while start <= subject.count, limit == 0 || found.count < limit {
            guard let match = try firstMatch(in: subject, from: start, allowEmptyAtStart: emptyAllowed) else { break }
            found.append(match)
            start = match.range.upperBound
            emptyAllowed = !match.range.isEmpty
        }
        return found
    }

    /// Python's `findall`: the groups of every match; the whole match where the pattern has no group.
    package func findAll(_ text: String) throws(PatternError) -> [[String]] {
        var rows: [[String]] = []
        for match in try matches(in: Array(text.utf8)) {
            rows.append(groupCount == 0 ? [match.text] : (1...groupCount).map { match.group($0) ?? "" })
        }
        return rows
    }

    /// Python's `split`: the parts between matches, and the groups (`nil` where one took no part).
    package func split(_ text: String, limit: Int = 0) throws(PatternError) -> [String?] {
        let subject = Array(text.utf8)
        var parts: [String?] = []
        var end = 0
        for match in try matches(in: subject, limit: limit) {
            parts.append(String(decoding: subject[end..<match.range.lowerBound], as: UTF8.self))
            for group in 0..<groupCount { parts.append(match.group(group + 1)) }
            end = match.range.upperBound
        }
        parts.append(String(decoding: subject[end...], as: UTF8.self))
        return parts
    }

    /// Python's `subn`: the text with matches replaced by the expanded template, and how many there were.
    ///
    /// The template knows `\1`, `\g<1>`, `\g<name>`, `\n` and the other escapes of strings. `limit` 0 means all.
    package func substitute(
        _ text: String, with template: String, limit: Int = 0
    ) throws(PatternError) -> (text: String, count: Int) {
        let result = try substitute(Array(text.utf8), with: template, limit: limit)
        return (String(decoding: result.bytes, as: UTF8.self), result.count)
    }

    /// The same on bytes.
    package func substitute(
        _ subject: [UInt8], with template: String, limit: Int = 0
    ) throws(PatternError) -> (bytes: [UInt8], count: Int) {
        let parts = try replacement(template)
        let found = try matches(in: subject, limit: limit)
        if found.isEmpty { return (subject, 0) }
        var out: [UInt8] = []
        var end = 0
        for match in found {
            out += subject[end..<match.range.lowerBound]
            out += match.expand(parts)
            end = match.range.upperBound
        }
        return (out + subject[end...], found.count)
    }

    /// The text with every special character escaped, as Python's `re.escape`.
    package static func escape(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".unicodeScalars.contains(scalar) { out.append("\\") }
            out.append(scalar)
        }
        return String(out)
    }
}

/// Where a pattern matched, and what its groups took. Ranges are byte offsets into the subject.
package struct Match: Sendable {
    package let subject: [UInt8]
    /// The whole match, then each group; `nil` for a group that took no part.
    package let ranges: [Range<Int>?]
    let groupNames: [String: Int]

    package var range: Range<Int> { ranges[0] ?? 0..<0 }
    package var text: String { group(0) ?? "" }

    package func bytes(_ group: Int) -> ArraySlice<UInt8>? {
        guard ranges.indices.contains(group), let range = ranges[group] else { return nil }
        return subject[range]
    }

    package func group(_ group: Int) -> String? { bytes(group).map { String(decoding: $0, as: UTF8.self) } }

    package func group(named name: String) -> String? { groupNames[name].flatMap { group($0) } }

    func expand(_ parts: [ReplacementPart]) -> [UInt8] {
        var out: [UInt8] = []
        for part in parts {
            switch part {
            case .literal(let text): out += Array(text.utf8)
            case .group(let number): out += bytes(number) ?? []
            }
        }
        return out
    }
}

/// The one owner of a compiled PCRE2 pattern. PCRE2 only reads it when it matches, so threads may share it.
@safe private final class CompiledCode: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(_ pattern: String, _ options: UInt32) throws(PatternError) {
        var number: Int32 = 0
        var offset = 0
        var bytes = Array(pattern.utf8)
        let count = bytes.count
        bytes.append(0)
        let context = unsafe pcre2_compile_context_create_8(nil)
        defer { unsafe pcre2_compile_context_free_8(context) }
        unsafe pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_LF))
        let compiled = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe pcre2_compile_8(buffer.baseAddress, count, options, &number, &offset, context)
        }
        guard let compiled = unsafe compiled else {
            // Python's words for a quantifier without anything before it.
            throw number == 109 ? PatternError("nothing to repeat", at: offset) : PatternError(Self.message(number))
        }
        unsafe pointer = compiled
    }

    deinit { unsafe pcre2_code_free_8(pointer) }

    static func message(_ number: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = unsafe pcre2_get_error_message_8(number, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, Int(length))), as: UTF8.self)
    }

    func match(
        _ subject: [UInt8], from start: Int, _ options: UInt32, groups: Int
    ) throws(PatternError) -> [Range<Int>?]? {
        let data = unsafe pcre2_match_data_create_from_pattern_8(pointer, nil)
        defer { unsafe pcre2_match_data_free_8(data) }
        let result = unsafe subject.withUnsafeBufferPointer { buffer -> Int32 in
            // An empty array may have no address, and PCRE2 wants one.
            if let base = buffer.baseAddress {
                return unsafe pcre2_match_8(pointer, base, buffer.count, start, options, data, nil)
            }
            var nothing: UInt8 = 0
            return unsafe pcre2_match_8(pointer, &nothing, 0, start, options, data, nil)
        }
        if result == PCRE2_ERROR_NOMATCH { return nil }
        if result < 0 { throw PatternError("search given up: \(Self.message(result))") }
        let offsets = unsafe pcre2_get_ovector_pointer_8(data)
        return (0...groups).map { group in
            guard let offsets = unsafe offsets else { return nil }
            let low = unsafe offsets[2 * group]
            let high = unsafe offsets[2 * group + 1]
            // Both are all ones for a group that took no part; \K, which could turn them round, is not let through.
            return low >= 0 && low <= high && high <= subject.count ? low..<high : nil
        }
    }
}
