import Values
import Machine

/// The TCP connections of the node, from `/proc/net`.
struct Connections {
    struct Entry {
        var local: String
        var port: Int
        var remote: String
        var state: String
    }

    private(set) var entries: [Entry] = []

    /// The kernel's numbers of states.
    static let states = [
        "ESTABLISHED": "01", "SYN_SENT": "02", "SYN_RECV": "03", "FIN_WAIT1": "04", "FIN_WAIT2": "05",
        "TIME_WAIT": "06",
    ]

    init(on machine: some MachineReader) throws(Failure) {
        for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let text: String?
            do { text = try machine.text(of: file) } catch { throw Failure(error) }
            for line in (text ?? "").split(separator: "\n").dropFirst() {
                let fields = line.split(separator: " ").map(String.init)
                guard fields.count > 3, let (local, port) = Self.end(fields[1]), let (remote, _) = Self.end(fields[2])
                else { continue }
                entries.append(Entry(local: local, port: port, remote: remote, state: fields[3]))
            }
        }
    }

    /// `0100007F:0016` is `127.0.0.1`, 22: words in the machine's byte order, in hex.
    private static func end(_ text: String) -> (String, Int)? {
        let halves = text.split(separator: ":").map(String.init)
        guard halves.count == 2, let port = Int(halves[1], radix: 16), halves[0].count % 8 == 0 else { return nil }
        var bytes: [UInt8] = []
        var digits = Array(halves[0])[...]
        while !digits.isEmpty {
            guard let word = UInt32(String(digits.prefix(8)), radix: 16) else { return nil }
            for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
            digits = digits.dropFirst(8)
        }
        // IPv4 in IPv6.
        if bytes.count == 16, bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 255, bytes[11] == 255 {
            bytes = Array(bytes.suffix(4))
        }
        return (addressText(bytes), port)
    }

    /// Connections to a port of these local addresses that are in one of the states.
    func count(at hosts: Set<String>, port: Int?, states: [String], excluding: Set<String>) -> Int {
        let wanted = Set(states.compactMap { Self.states[$0] })
        let anywhere = !hosts.isDisjoint(with: ["0.0.0.0", "::", "::0"])
        return entries.count { entry in
            (port == nil || entry.port == port) && wanted.contains(entry.state) && !excluding.contains(entry.remote)
                && (anywhere || hosts.contains(entry.local) || ["0.0.0.0", "::"].contains(entry.local))
        }
    }
}
