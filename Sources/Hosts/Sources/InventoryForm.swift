/// The forms in which an inventory may be written, by the names that `enable_plugins` has for them.
package enum InventoryForm: String, Sendable, CaseIterable {
    case hostList = "host_list"
    case script
    case auto
    case yaml
    case ini
    case toml
    case constructed
    case generator
    case advancedHostList = "advanced_host_list"

    /// Those that are tried where nothing is said, in this order.
    package static let usual: [InventoryForm] = [.hostList, .script, .auto, .yaml, .ini, .toml]

    /// The form of that name, which may say `ansible.builtin.` in front.
    package init?(named name: String) {
        var name = name[...]
        for prefix in ["ansible.builtin.", "ansible.legacy."] where name.hasPrefix(prefix) {
            name = name.dropFirst(prefix.count)
        }
        self.init(rawValue: String(name))
    }

    /// Whether a source looks like this form from outside.
    func takes(_ path: String, ending: String) -> Bool {
        let exists = Files.kind(path) != nil
        return switch self {
        case .hostList, .advancedHostList: !exists && path.contains(",")
        case .script: exists && Files.isExecutable(path)
        case .auto: exists && (ending == "yml" || ending == "yaml")
        case .yaml: exists && ["", "yml", "yaml", "json"].contains(ending)
        case .ini: exists
        case .toml: exists && ending == "toml"
        case .constructed, .generator: exists && ["", "config", "yml", "yaml", "json"].contains(ending)
        }
    }
}

/// What inventories do with characters of group names that names of variables cannot have.
package enum GroupNames: String, Sendable, CaseIterable {
    /// Keep them, with a warning.
    case never
    /// Keep them.
    case ignore
    /// Replace them by `_`, with a warning.
    case always
    /// Replace them by `_`.
    case silently

    var replaces: Bool { self == .always || self == .silently }

    /// The name with what is not allowed replaced: a digit at the start, and whatever is no letter, digit or `_`.
    static func safe(_ name: String) -> String {
        var result = ""
        for (index, scalar) in name.unicodeScalars.enumerated() {
            let isDigit = scalar.properties.numericType != nil
            let isAllowed = scalar == "_" || scalar.properties.isAlphabetic || (isDigit && index > 0)
            result.unicodeScalars.append(isAllowed ? scalar : "_")
        }
        return result
    }
}
