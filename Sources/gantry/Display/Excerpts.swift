import Playbooks
import Values

/// Gives errors that come from nodes the lines they speak of: over there, only the names of files are known.
struct Excerpts {
    private var files: [String: SourceFile?] = [:]

    /// The diagnostic with its file's text, where the controller has that file.
    ///
    /// What is shown is the file as it lies on the disk: of a vaulted one nothing.
    mutating func located(_ diagnostic: Diagnostic) -> Diagnostic {
        var found = diagnostic
        found.place = diagnostic.place.map { located($0) }
        return found
    }

    mutating func located(_ place: Place) -> Place {
        guard place.file.text == nil, let file = file(place.file.name) else { return place }
        return Place(file: file, line: Int(place.line), column: Int(place.column))
    }

    private mutating func file(_ name: String) -> SourceFile? {
        if let known = files[name] { return known }
        var file: SourceFile?
        if Disk.kind(name) == .file, let bytes = try? Disk.contents(name), !bytes.starts(with: "$ANSIBLE_VAULT;".utf8)
        {
            file = SourceFile(name: name, text: String(decoding: bytes, as: UTF8.self))
        }
        files[name] = .some(file)
        return file
    }
}
