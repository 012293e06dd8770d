import Machine
import Values
import Wire

/// Where bundles come from: a folder, or a web server that hands one out.
struct BundleSource {
    private let location: String
    private let machine: LinuxMachine

    init(_ location: String, machine: LinuxMachine, caPath: String?) {
        self.location = location.hasSuffix("/") ? String(location.dropLast()) : location
        self.machine = machine
    }

    /// Signature line and manifest of a host.
    func manifest(host: String) throws(BundleError) -> String {
        guard !host.contains("/"), host != "..", !host.isEmpty else {
            throw BundleError(message: "'\(host)' is no name of a host")
        }
        return String(decoding: try fetch("nodes/\(host)", limit: 1 << 20), as: UTF8.self)
    }

    func blob(_ blob: Manifest.Blob) throws(BundleError) -> [UInt8] {
        try fetch("blobs/sha256/\(blob.digest)", limit: blob.size)
    }

    private func fetch(_ name: String, limit: Int) throws(BundleError) -> [UInt8] {
        do throws(MachineError) {
            guard let bytes = try machine.contents(of: "\(location)/\(name)", limit: limit) else {
                throw MachineError("there is no '\(location)/\(name)'")
            }
            return bytes
        } catch { throw BundleError(message: error.message, isUnreachable: true) }
    }
}
