import Values

/// A module that is not built in: a file of the controller, run on the node as a program of its own.
package struct ForeignModule: Sendable, Hashable {
    /// How the program wants its arguments.
    package enum Style: String, Sendable, Hashable {
        /// A Python module on `ansible.module_utils`: what it imports is packed along.
        case python
        /// A script that says `WANT_JSON`: a file with JSON.
        case json
        /// A script of the old kind: a file with `key=value` words.
        case words
        /// A compiled program: a file with JSON, and no interpreter.
        case binary
        /// A script in which the JSON takes the place of a mark.
        case inserted
    }

    /// As results and errors name it (`community.general.ini_file`).
    package var name: String
    package var style: Style
    /// The words behind `#!`.
    package var interpreter: [String]
    /// The file itself, and for Python what it imports, by their places in the tree that Python searches.
    package var parts: [ModulePart]
    /// Python's name of the module; empty for other styles.
    package var qualifiedName: String
    /// The release of ansible-core whose `module_utils` are packed along.
    package var release: String
    /// Internal arguments (without `_ansible_`) that this release knows; others it would refuse.
    package var internals: [String]
    /// It looks at check mode itself.
    package var knowsCheckMode: Bool

    package init(name: String, style: Style, interpreter: [String], parts: [ModulePart]) {
        self.name = name
        self.style = style
        self.interpreter = interpreter
        self.parts = parts
        qualifiedName = ""
        release = ""
        internals = []
        knowsCheckMode = false
    }
}

/// A file that goes to the node for a module. Its content is asked for by digest, once.
package struct ModulePart: Sendable, Hashable {
    /// Relative to the root of the tree.
    package var path: String
    /// SHA-256 in hex; empty for an empty file.
    package var digest: String
    package init(path: String, digest: String) {
        self.path = path
        self.digest = digest
    }
}

/// The content of a part.
package struct ModuleContents: Sendable, Hashable {
    package var bytes: [UInt8]
    package init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// A foreign module with what the host's variables say about running it.
package struct ForeignCall: Sendable, Hashable {
    package var module: ForeignModule
    /// What `ansible_*_interpreter` says; `nil` where Python is to be looked for.
    package var interpreter: String?
    /// Nothing is said about which Python was found.
    package var isSilent: Bool
    /// Names of Pythons to look for.
    package var candidates: [String]
    package init(module: ForeignModule, interpreter: String?, isSilent: Bool, candidates: [String]) {
        self.module = module
        self.interpreter = interpreter
        self.isSilent = isSilent
        self.candidates = candidates
    }
}

extension ForeignModule: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(name)
        writer.write(style.rawValue)
        writer.write(interpreter)
        writer.write(parts)
        writer.write(qualifiedName)
        writer.write(release)
        writer.write(internals)
        writer.write(knowsCheckMode)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        let name = try reader.string()
        let word = try reader.string()
        guard let style = Style(rawValue: word) else { throw WireError("an unknown style of modules '\(word)'") }
        self.init(name: name, style: style, interpreter: try reader.array(), parts: try reader.array())
        qualifiedName = try reader.string()
        release = try reader.string()
        internals = try reader.array()
        knowsCheckMode = try reader.bool()
    }
}

extension ModulePart: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(path)
        writer.write(digest)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(path: try reader.string(), digest: try reader.string())
    }
}

extension ForeignCall: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(module)
        writer.write(interpreter)
        writer.write(isSilent)
        writer.write(candidates)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            module: try reader.value(), interpreter: try reader.optional(), isSilent: try reader.bool(),
            candidates: try reader.array())
    }
}

extension ModuleContents: WireCodable {
    package func encode(to writer: inout WireWriter) { writer.write(bytes) }
    package init(from reader: inout WireReader) throws(WireError) { self.init(try reader.data()) }
}
