import Crypto
import HTTP
import Machine
import Values

/// Tarballs from web servers.
struct Downloads {
    private let client: Client

    /// - Parameter anyCertificate: the server's is not checked.
    init(_ environment: [String: String], anyCertificate: Bool, timeout: Int?) {
        let machine = LinuxMachine()
        var options = Client.Options(resolve: { try machine.addresses(of: $0) })
        if anyCertificate { options.tls = TLSOptions(trust: .everyone) }
        if let timeout { options.idleTimeout = .seconds(timeout) }
        options.userAgent = "gantry/\(gantryVersion)"
        options.environment = environment
        // What is larger than this is no role and no collection.
        options.limits.memory = 1 << 30
        client = Client(options)
    }

    func fetch(_ address: String, to path: String) throws(CommandFailure) {
        let response: Response
        do throws(HTTPError) { response = try client.send(Request("GET", try URL(address))) } catch {
            throw CommandFailure(Diagnostic("failed to download the file: \(error.message)"), status: 1)
        }
        guard response.isSuccess else {
            throw CommandFailure(
                Diagnostic("failed to download the file: '\(address)' answered \(response.status)"), status: 1)
        }
        try Output.write(response.body, to: path, mode: 0o600)
    }
}
