import Patterns
import Values

/// Reads sources one after another into one graph.
struct SourceLoading {
    private(set) var graph: Graph
    private(set) var warnings: [Diagnostic] = []
    /// Why sources could not be read.
    private(set) var failures: [Diagnostic] = []
    private(set) var readCount = 0
    /// Folders of the sources read so far, whose `group_vars` and `host_vars` count.
    private var folders: [String] = []
    private let options: InventoryOptions
    private let files: VariableFiles
    private let ignored: [Pattern]

    init(_ options: InventoryOptions, _ files: VariableFiles) throws(Diagnostics) {
        self.options = options
        self.files = files
        graph = Graph(mergesHashes: options.mergesHashes, groupNames: options.groupNames)
        var patterns: [Pattern] = []
        for pattern in options.ignoredPatterns {
            do { patterns.append(try Pattern(pattern)) } catch {
                throw Diagnostics([Diagnostic("inventory_ignore_patterns: '\(pattern)': \(error)")])
            }
        }
        ignored = patterns
    }

    /// Reads what the user named with `-i`.
    mutating func read(_ source: String) {
        if source.isEmpty { return }
        let path = source.contains(",") && Files.kind(source) == nil ? source : Files.absolute(source)
        if readAny(path, name: source) { readCount += 1 }
    }

    private mutating func readAny(_ path: String, name: String) -> Bool {
        guard Files.kind(path) == .folder else { return readOne(path, name: name) }
        guard let names = Files.names(in: path) else {
            failures.append(Diagnostic("the folder '\(name)' cannot be read"))
            return false
        }
        var found = false
        for entry in names where !isIgnored(entry) {
            let shown = name.hasSuffix("/") ? name + entry : name + "/" + entry
            if readAny(path + "/" + entry, name: shown) { found = true }
        }
        if !found {
            failures.append(
                Diagnostic(
                    "no file in the folder '\(name)' is an inventory",
                    hint: "name the inventory file with -i, or move what is not an inventory out of the folder"))
        }
        return found
    }

    private func isIgnored(_ name: String) -> Bool {
        name.hasPrefix(".") || name == "host_vars" || name == "group_vars" || name == "vars_plugins"
            || options.ignoredEndings.contains { name.hasSuffix($0) }
            || ignored.contains { ((try? $0.search(name)) ?? nil) != nil }
    }

    /// Tries the forms in their order; the first that can read the source counts.
    private mutating func readOne(_ path: String, name: String) -> Bool {
        let source = InventorySource(path: path, name: name)
        let ending = path.split(separator: "/").last?.split(separator: ".").dropFirst().last.map(String.init) ?? ""
        var attempts: [(form: InventoryForm, failure: Diagnostic)] = []
        var text: SourceText?
        for form in options.forms where form.takes(path, ending: ending) {
            do throws(Diagnostic) {
                if text == nil, ![.hostList, .advancedHostList, .script].contains(form) {
                    text = try SourceText(path: path, name: name, options: options)
                }
                try read(source, as: form, text)
                folders.append(source.folder)
                return true
            } catch { attempts.append((form, error)) }
        }
        failures.append(failure(source, attempts, text, ending))
        return false
    }

    private mutating func read(
        _ source: InventorySource, as form: InventoryForm, _ text: SourceText?
    ) throws(Diagnostic) {
        switch form {
        case .hostList: try readList(source, ranges: false)
        case .advancedHostList: try readList(source, ranges: true)
        case .script: warnings += try ScriptSource.read(source, options, into: &graph)
        case .ini: if let text { try INISource.read(text, source, into: &graph) }
        case .yaml: if let text { warnings += try YAMLSource.read(text, source, options, into: &graph) }
        case .toml: if let text { warnings += try TOMLSource.read(text, source, into: &graph) }
        case .auto, .constructed, .generator:
            guard let text else { return }
            let file = try PluginFile(text, source, options)
            switch (form, InventoryForm(named: file.plugin)) {
            case (.auto, .constructed), (.constructed, .constructed): try construct(file)
            case (.auto, .generator), (.generator, .generator): try Generator.read(file, source, into: &graph)
            case (.auto, _): throw file.unknownPlugin
            default: throw file.otherPlugin(form.rawValue)
            }
        }
    }

    private mutating func construct(_ file: PluginFile) throws(Diagnostic) {
        let construction = try Construction(file, options, files, folders: folders)
        try construction.apply(to: &graph)
    }

    /// `-i 'a,b:2222,web[1:3],'`; what looks like a range and is none is a host's name.
    private mutating func readList(_ source: InventorySource, ranges: Bool) throws(Diagnostic) {
        for part in source.path.split(separator: ",") {
            let word = part.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
            let text = String(word)
            if text.isEmpty { continue }
            let (name, port) = parsedAddress(text, ranges: true) ?? (text, nil)
            let names: [String]
            do { names = try expandedRanges(name) } catch {
                if error.isOddSpan, ranges {
                    throw Diagnostic(
                        "Failed to parse inventory with 'advanced_host_list' plugin: \(error.message)")
                }
                warnings.append(
                    Diagnostic(
                        "Unable to parse address from hostname, leaving unchanged: \(error.message)",
                        hint: "it is a host named '\(text)'", severity: .warning))
                names = [text]
            }
            for name in names where graph.hostIDs[name] == nil {
                graph.put(host: graph.addHost(name, port: port, source: source), into: Graph.ungrouped)
            }
        }
    }

    /// Why the source is no inventory: the words of the form that it seems to be meant in.
    private func failure(
        _ source: InventorySource, _ attempts: [(form: InventoryForm, failure: Diagnostic)], _ text: SourceText?,
        _ ending: String
    ) -> Diagnostic {
        guard Files.kind(source.path) != nil || !attempts.isEmpty else {
            let siblings = Files.names(in: Files.parent(source.path)) ?? []
            let own = source.path.split(separator: "/").last.map(String.init) ?? ""
            return Diagnostic(
                "the inventory '\(source.name)' does not exist",
                hint: suggestion(for: own, among: siblings) ?? "a list of hosts needs a comma: -i \(source.name),")
        }
        func of(_ form: InventoryForm) -> Diagnostic? { attempts.first { $0.form == form }?.failure }
        let lines = text?.text
        if let failure = of(.script), lines == nil || lines?.hasPrefix("#!") ?? false || of(.ini) == nil {
            return failure
        }
        if let failure = of(.toml) ?? of(.constructed) ?? of(.generator) { return failure }
        let isPlugin = lines.map(PluginFile.looksLikeOne) ?? false
        if let failure = of(.auto), isPlugin { return failure }
        if let failure = of(.yaml), !ending.isEmpty || lines.map(Self.looksLikeYAML) ?? false { return failure }
        return of(.ini) ?? attempts.last?.failure
            ?? Diagnostic(
                "'\(source.name)' is in no form that is enabled",
                hint: "enabled are: \(options.forms.map(\.rawValue).joined(separator: ", "))")
    }

    private static func looksLikeYAML(_ text: String) -> Bool {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            return line.hasPrefix("---") || (!line.hasPrefix("[") && line.hasSuffix(":"))
        }
        return false
    }
}
