/// A file that values came from. One instance per file, so that a place is a pointer and two numbers.
package final class SourceFile: Sendable, Hashable, CustomStringConvertible {
    /// The path as the user would name it: relative to where the run was started.
    package let name: String
    /// The text, for excerpts; `nil` where only the name travelled (on a node).
    package let text: String?

    package init(name: String, text: String? = nil) {
        self.name = name
        self.text = text
    }

    package var description: String { name }
    package static func == (left: SourceFile, right: SourceFile) -> Bool { left.name == right.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// A position in a file. Lines and columns count from 1; columns count characters. What is no file has line 0.
package struct Place: Sendable, Hashable, CustomStringConvertible {
    package let file: SourceFile
    package let line: Int32
    package let column: Int32

    package init(file: SourceFile, line: Int, column: Int) {
        self.file = file
        self.line = Int32(clamping: line)
        self.column = Int32(clamping: column)
    }

    package var description: String { line == 0 ? file.name : "\(file.name):\(line):\(column)" }
}
