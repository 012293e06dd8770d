import Values

/// Gets from a shell on a node to a running agent: in one exchange where it is there already.
struct AgentDelivery {
    let script: DeliveryScript
    private var image: AgentImage { script.image }

    init(image: AgentImage, folder: String?, isAnew: Bool = false) {
        script = DeliveryScript(image: image, folder: folder, isAnew: isAnew)
    }

    /// Talks to the script until the agent runs.
    ///
    /// - Returns: what the agent has said already, and whether it had to be sent.
    func start(on link: any AgentLink) async throws(LinkError) -> (early: [UInt8], wasSent: Bool) {
        var lines = MarkedLines(marker: script.marker)
        var hasSent = false
        while true {
            guard let line = try await next(&lines, link) else { throw await ended(link, lines) }
            switch line {
            case .have: return (lines.rest, hasSent)
            case .error(let kind, let detail): throw problem(kind, detail, await link.errorTail())
            case .need(let architecture, let isCompressed):
                guard architecture == image.architecture else {
                    throw LinkError("the node is \(architecture), this agent is built for \(image.architecture)")
                }
                guard !hasSent else { throw LinkError("the node asks for the agent twice") }
                hasSent = true
                // Where the node gives up in the middle, what it says tells more than the broken stream.
                try? await link.send(isCompressed ? image.compressed : image.program)
            }
        }
    }

    private func next(_ lines: inout MarkedLines, _ link: any AgentLink) async throws(LinkError) -> DeliveryLine? {
        while true {
            if let line = lines.next() { return line }
            guard let bytes = try await link.receive() else { return nil }
            lines.append(bytes)
        }
    }

    private func ended(_ link: any AgentLink, _ lines: MarkedLines) async -> LinkError {
        let end = await link.end()
        let said = (await link.errorTail() + lines.noise).lines
        return LinkError(
            "the node's shell ended before the agent ran (\(end.text))",
            notes: said.isEmpty
                ? ["it must run /bin/sh with a command"] : ["it said: " + said.joined(separator: " / ")])
    }

    private func problem(_ kind: String, _ folder: String, _ errors: String) -> LinkError {
        let elsewhere = "set gantry_agent_dir to a folder where this user can write and run programs"
        let said = errors.lines.map { "the node says: " + $0 }
        switch kind {
        case "folder":
            return LinkError("the agent's folder '\(folder)' cannot be made on the node", notes: said + [elsewhere])
        case "write":
            return LinkError(
                "the agent's folder '\(folder)' cannot be written on the node: read-only, or full",
                notes: said + [elsewhere])
        case "owner":
            return LinkError(
                "the agent's folder '\(folder)' belongs to another user or is a link; nothing is run from there",
                notes: ["remove it, or " + elsewhere])
        case "mode":
            return LinkError(
                "the agent's folder '\(folder)' can be written by others; nothing is run from there",
                notes: ["on the node: chmod go-w '\(folder)'", "or " + elsewhere])
        case "noexec":
            return LinkError(
                "programs cannot be run from the agent's folder '\(folder)': its file system is mounted noexec",
                notes: [elsewhere])
        case "upload":
            let isFull = errors.contains("No space left") || errors.contains("quota")
            return LinkError(
                isFull
                    ? "no space left for the agent in '\(folder)' on the node (it needs "
                        + "\((image.program.count >> 20) + 1) MB)"
                    : "the agent could not be written to '\(folder)' on the node",
                notes: said + [isFull ? "make room there, or \(elsewhere)" : elsewhere])
        case "digest":
            return LinkError(
                "the agent arrived garbled on the node and was not run",
                notes: said + ["run it again; if it stays so, look at the node's disk"])
        case "tools":
            return LinkError(
                "the node has none of sha256sum, shasum and openssl to check the agent with",
                notes: ["install one of them (coreutils has sha256sum)"])
        default: return LinkError("the agent could not be placed on the node (\(kind) \(folder))", notes: said)
        }
    }
}

/// Finds the script's lines among what a login shell prints.
struct MarkedLines {
    private let marker: [UInt8]
    private var bytes: [UInt8] = []
    /// What was printed before and between, for errors.
    private(set) var noise = ""
    // A greeting is short; endless output is no greeting.
    private static let noiseLimit = 4096

    init(marker: String) { self.marker = Array(marker.utf8) + [UInt8(ascii: " ")] }

    mutating func append(_ more: [UInt8]) { bytes += more }

    /// What came after the last line.
    var rest: [UInt8] { bytes }

    mutating func next() -> DeliveryLine? {
        while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
            let line = bytes[..<end]
            bytes = Array(bytes[(end + 1)...])
            // A prompt or a greeting without a newline may stand in front.
            if let start = position(of: marker, in: line) {
                let text = String(decoding: line[(start + marker.count)...], as: UTF8.self)
                if let found = DeliveryLine(text[...].trimmedLine) { return found }
            }
            if noise.utf8.count < Self.noiseLimit { noise += String(decoding: line, as: UTF8.self) + "\n" }
        }
        return nil
    }

    private func position(of needle: [UInt8], in line: ArraySlice<UInt8>) -> Int? {
        guard line.count >= needle.count else { return nil }
        return (line.startIndex...(line.endIndex - needle.count)).first { line[$0...].starts(with: needle) }
    }
}

extension Substring {
    /// Without a carriage return at the end.
    fileprivate var trimmedLine: Substring { hasSuffix("\r") ? dropLast() : self }
}

extension String {
    /// Its lines without blank ones, the last few.
    var lines: [String] { split(whereSeparator: \.isNewline).suffix(4).map { String($0.prefix(300)) } }
}
