/// How the hosts of a play go through its tasks.
package enum Strategy: String, Sendable, CaseIterable {
    case linear
    case free
    case hostPinned = "host_pinned"
    case debug

    package static let names = allCases.map(\.rawValue)

    /// By its short or its full name. Mitogen's mean the same in less time: projects that were run with it keep them.
    package init?(named name: String) {
        let short = name.split(separator: ".").last.map(String.init) ?? name
        let plain = short.hasPrefix("mitogen_") ? String(short.dropFirst("mitogen_".count)) : short
        self.init(rawValue: plain == "mitogen" ? "linear" : plain)
    }

    /// Nobody waits for anybody.
    package var isFree: Bool { self == .free || self == .hostPinned }
}
