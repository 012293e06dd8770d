@testable import Controller
import Glibc
import Testing
import Values
import Wire

/// The delivery script run by this machine's own shell; `echo` stands for the agent and answers `serve`.
@Suite struct DeliveryTests {
    private let folder: String

    init() throws {
        var name = "/tmp/gantry-delivery-XXXXXX".utf8.map { CChar(bitPattern: $0) } + [0]
        let isMade = unsafe mkdtemp(&name) != nil
        try #require(isMade)
        folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func output(_ arguments: [String]) async throws -> String {
        let link = try ProcessLink(arguments)
        await link.finish()
        var bytes: [UInt8] = []
        while let more = try await link.receive() { bytes += more }
        _ = await link.end()
        return String(decoding: bytes, as: UTF8.self)
    }

    private func image(digest: String? = nil) async throws -> AgentImage {
        _ = try await output(["cp", "/bin/echo", "\(folder)/echo"])
        let right = try await output(["sha256sum", "\(folder)/echo"]).prefix(64)
        return try await AgentImage.load("\(folder)/echo") { _ in digest ?? String(right) }
    }

    private func deliver(_ image: AgentImage, to folder: String, isAnew: Bool = false) async throws -> String {
        let delivery = AgentDelivery(image: image, folder: folder, isAnew: isAnew)
        let link = try ProcessLink(["/bin/sh", "-c", delivery.script.text])
        var said = try await delivery.start(on: link).early
        while let more = try await link.receive() { said += more }
        await link.close()
        return String(decoding: said, as: UTF8.self)
    }

    private func remove() async throws { _ = try await output(["rm", "-rf", folder]) }

    @Test func itIsPlacedOnceAndThenFound() async throws {
        let image = try await image()
        #expect(try await deliver(image, to: "\(folder)/it's a $place") == "serve\n")
        #expect(try await deliver(image, to: "\(folder)/it's a $place") == "serve\n")
        let listing = try await output(["ls", "-la", "\(folder)/it's a $place"])
        #expect(listing.contains("agent-\(image.digest)") && !listing.contains(".new"))
        #expect(listing.split(separator: "\n")[1].hasPrefix("drwx------"))
        try await remove()
    }

    @Test func aDamagedAgentIsReplacedWhenAskedTo() async throws {
        let image = try await image()
        _ = try await deliver(image, to: "\(folder)/agents")
        _ = try await output(["sh", "-c", "echo exit >'\(folder)/agents/agent-\(image.digest)'"])
        #expect(try await deliver(image, to: "\(folder)/agents") == "")
        #expect(try await deliver(image, to: "\(folder)/agents", isAnew: true) == "serve\n")
        #expect(try await deliver(image, to: "\(folder)/agents") == "serve\n")
        try await remove()
    }

    @Test func aGarbledProgramIsNotRun() async throws {
        let image = try await image(digest: String(repeating: "0", count: 64))
        await #expect(throws: LinkError("the agent arrived garbled on the node and was not run", notes: [
            "run it again; if it stays so, look at the node's disk"
        ])) { try await deliver(image, to: "\(folder)/agents") }
        #expect(try await output(["ls", "-A", "\(folder)/agents"]) == "")
        try await remove()
    }

    @Test func aFolderThatOthersCanWriteIsRefused() async throws {
        let image = try await image()
        _ = try await output(["install", "-d", "-m", "777", "\(folder)/open"])
        do {
            _ = try await deliver(image, to: "\(folder)/open")
            Issue.record("it was run")
        } catch let error as LinkError {
            #expect(error.message.hasSuffix("/open' can be written by others; nothing is run from there"))
        }
        try await remove()
    }

    @Test func aGreetingIsPassedOver() {
        var lines = MarkedLines(marker: "gantry-agent-ab")
        lines.append(Array("Welcome!\nprompt> gantry-agent-ab need x86_64 gzip\r\nrest".utf8))
        #expect(lines.next() == .need(architecture: "x86_64", isCompressed: true))
        #expect(lines.next() == nil)
        #expect(lines.rest == Array("rest".utf8) && lines.noise == "Welcome!\n")
    }

    private static let agent = unsafe getenv("GANTRY_AGENT").map { unsafe String(cString: $0) }

    /// The real agent on this machine, where it has been built (`GANTRY_AGENT`).
    @Test(.enabled(if: Self.agent != nil, "needs GANTRY_AGENT, the agent that was built"))
    func theAgentRunsACommand() async throws {
        let path = try #require(Self.agent)
        let program = try wholeFile(path).get()
        let image = try AgentImage(path: path, program: program, compressed: [], digest: "")
        let connector = Connector(image: image, forks: 0)
        let settings = try ConnectionSettings(
            host: "localhost", variables: Dict(), keywords: Dict(), defaults: ConnectionSettings.Defaults(),
            isImplicit: true)
        let session = try await connector.session(for: settings)
        let basis = SearchBasis(roles: [], taskFolder: ".", playFolder: ".")
        let call = ModuleCall(
            module: "command", arguments: ["argv": ["echo", "hello"]], checkMode: false, diffMode: false,
            environment: Dict(), verbosity: 0, become: nil, isHidden: false, basis: basis)
        try await session.send(.call(call))
        var result: CallResult?
        while result == nil {
            switch try await session.next() {
            case .called(let called): result = called
            case .question: try await session.send(.answer(.proceed))
            default: break
            }
        }
        #expect(result?.result["stdout"] == "hello")
        await session.end()
    }
}
