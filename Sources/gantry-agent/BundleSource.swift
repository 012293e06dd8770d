import Crypto
import HTTP
import Machine
import Values
import Wire

/// Where bundles come from: a folder, or a web server that hands one out.
struct BundleSource {
    private let location: String
    private let machine: LinuxMachine
    private let client: Client?

    init(_ location: String, machine: LinuxMachine, caPath: String?) {
        self.location = location.hasSuffix("/") ? String(location.dropLast()) : location
        self.machine = machine
        guard location.hasPrefix("http://") || location.hasPrefix("https://") else {
            client = nil
            return
        }
        var options = Client.Options(resolve: { try machine.addresses(of: $0) })
        if let caPath { options.tls = TLSOptions(trust: .path(caPath)) }
        options.userAgent = "gantry-agent/\(agentVersion)"
        options.environment = machine.environment
        client = Client(options)
    }

    /// Signature line and manifest of a host; `nil` when a web server says that it is still the one with this tag.
    func manifest(host: String, tag: String?) throws(BundleError) -> (text: String, tag: String?)? {
        guard !host.contains("/"), host != "..", !host.isEmpty else {
            throw BundleError(message: "'\(host)' is no name of a host")
        }
        guard let found = try fetch("nodes/\(host)", limit: 1 << 20, tag: tag) else { return nil }
        return (String(decoding: found.bytes, as: UTF8.self), found.tag)
    }

    func blob(_ blob: Manifest.Blob) throws(BundleError) -> [UInt8] {
        try fetch("blobs/sha256/\(blob.digest)", limit: blob.size, tag: nil)?.bytes ?? []
    }

    private func fetch(
        _ name: String, limit: Int, tag: String?
    ) throws(BundleError) -> (bytes: [UInt8], tag: String?)? {
        let address = "\(location)/\(name)"
        guard let client else {
            do throws(MachineError) {
                guard let bytes = try machine.contents(of: address, limit: limit) else {
                    throw MachineError("there is no '\(address)'")
                }
                return (bytes, nil)
            } catch { throw BundleError(message: error.message, isUnreachable: true) }
        }
        let response: Response
        do throws(HTTPError) {
            var request = Request("GET", try URL(address))
            request.setIfNoneMatch(tag)
            response = try client.send(request)
        } catch { throw BundleError(message: error.message, isUnreachable: true) }
        if response.status == 304 { return nil }
        guard response.isSuccess else {
            throw BundleError(message: "'\(address)' answered \(response.status)", isUnreachable: true)
        }
        return (response.body, response.tag)
    }
}
