import Values

/// Unified diffs, as `--diff` prints them.
enum UnifiedDiff {
    /// - Parameter context: lines shown around a change.
    static func lines(before: String, after: String, from: String, to: String, context: Int = 3) -> [String] {
        let old = split(before)
        let new = split(after)
        let hunks = hunks(of: edits(old, new), context: context)
        guard !hunks.isEmpty else { return [] }
        var out = ["--- \(from)", "+++ \(to)"]
        for hunk in hunks {
            let oldCount = hunk.filter { $0.kind != .insert }.count
            let newCount = hunk.filter { $0.kind != .delete }.count
            let oldStart = hunk[0].old
            let newStart = hunk[0].new
            out.append("@@ -\(range(oldStart, oldCount)) +\(range(newStart, newCount)) @@")
            for edit in hunk {
                switch edit.kind {
                case .keep: out.append(" " + old[edit.old])
                case .delete: out.append("-" + old[edit.old])
                case .insert: out.append("+" + new[edit.new])
                }
            }
        }
        return out
    }

    private static func range(_ start: Int, _ count: Int) -> String {
        count == 1 ? "\(start + 1)" : "\(count == 0 ? start : start + 1),\(count)"
    }

    /// Lines; one without a newline at its end says so on a line of its own, as Ansible prints it.
    private static func split(_ text: String) -> [String] {
        guard !text.isEmpty else { return [] }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() } else { lines[lines.count - 1] += "\n\\ No newline at end of file" }
        return lines
    }

    private struct Edit {
        enum Kind { case keep, delete, insert }
        let kind: Kind
        /// Lines of both sides that come before this edit's own.
        let old: Int
        let new: Int
    }

    /// A shortest edit script (Myers), ends trimmed first; deletions before insertions.
    private static func edits(_ old: [String], _ new: [String]) -> [Edit] {
        var start = 0
        while start < old.count, start < new.count, old[start] == new[start] { start += 1 }
        var end = 0
        while end < old.count - start, end < new.count - start, old[old.count - 1 - end] == new[new.count - 1 - end] {
            end += 1
        }
        var edits = (0..<start).map { Edit(kind: .keep, old: $0, new: $0) }
        edits += middle(Array(old[start..<old.count - end]), Array(new[start..<new.count - end]), at: start)
        for index in 0..<end {
            edits.append(Edit(kind: .keep, old: old.count - end + index, new: new.count - end + index))
        }
        return edits
    }

    private static func middle(_ old: [String], _ new: [String], at offset: Int) -> [Edit] {
        // Beyond this the table costs more than a coarser diff is worth.
        let limit = 2000
        guard old.count + new.count <= 2 * limit else {
            return old.indices.map { Edit(kind: .delete, old: offset + $0, new: offset) }
                + new.indices.map { Edit(kind: .insert, old: offset + old.count, new: offset + $0) }
        }
        // Lengths of common subsequences of the tails.
        var table = [[Int32]](repeating: [Int32](repeating: 0, count: new.count + 1), count: old.count + 1)
        for i in old.indices.reversed() {
            for j in new.indices.reversed() {
                table[i][j] = old[i] == new[j] ? table[i + 1][j + 1] + 1 : max(table[i + 1][j], table[i][j + 1])
            }
        }
        var edits: [Edit] = []
        var (i, j) = (0, 0)
        while i < old.count || j < new.count {
            if i < old.count, j < new.count, old[i] == new[j] {
                edits.append(Edit(kind: .keep, old: offset + i, new: offset + j))
                (i, j) = (i + 1, j + 1)
            } else if i < old.count, j == new.count || table[i + 1][j] >= table[i][j + 1] {
                edits.append(Edit(kind: .delete, old: offset + i, new: offset + j))
                i += 1
            } else {
                edits.append(Edit(kind: .insert, old: offset + i, new: offset + j))
                j += 1
            }
        }
        return edits
    }

    private static func hunks(of edits: [Edit], context: Int) -> [[Edit]] {
        var hunks: [Range<Int>] = []
        for (index, edit) in edits.enumerated() where edit.kind != .keep {
            let range = max(0, index - context)..<min(edits.count, index + context + 1)
            if let last = hunks.last, last.upperBound >= range.lowerBound {
                hunks[hunks.count - 1] = last.lowerBound..<range.upperBound
            } else {
                hunks.append(range)
            }
        }
        return hunks.map { Array(edits[$0]) }
    }
}
