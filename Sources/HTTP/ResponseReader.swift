import Values

/// What a server may send at most.
package struct ResponseLimits: Sendable {
    /// Bytes of the whole head, and of trailers.
    package var head = 64 << 10
    /// Header fields.
    package var fields = 200
    /// Bytes of a body that is kept in memory.
    package var memory = 64 << 20
    /// Bytes of a body that a sink takes; `nil` for any number.
    package var stream: Int?

    package init() {}
}

/// The first part of an answer.
struct ResponseHead: Equatable {
    let status: Int
    let reason: String
    let headers: Headers
}

/// Takes part of a body as it comes.
package typealias BodySink = (Span<UInt8>) throws -> Void

/// Reads an answer (RFC 9112) from a stream. Whatever comes: an answer or an error, within the limits.
struct ResponseReader {
    let stream: any ByteStream
    let limits: ResponseLimits
    /// Who answers, for messages.
    let peer: String
    private var buffer: [UInt8] = []
    private var start = 0

    init(_ stream: any ByteStream, limits: ResponseLimits, peer: String) {
        self.stream = stream
        self.limits = limits
        self.peer = peer
    }

    private func malformed(_ what: String) -> HTTPError {
        HTTPError(.badResponse, "\(peer) did not answer in HTTP/1.1: \(what)")
    }

    private var available: Int { buffer.count - start }

    /// Whether nothing is left of what was read.
    var isDrained: Bool { available == 0 }

    /// Reads more. `nil` when nothing came within `patience`, false at the end.
    private mutating func fill(patience: Duration? = nil) throws(HTTPError) -> Bool? {
        if start > 0 {
            buffer.removeSubrange(..<start)
            start = 0
        }
        return try stream.read(into: &buffer, patience: patience).map { $0 > 0 }
    }

    /// Whether something of an answer comes within this time.
    mutating func hasAnswer(within patience: Duration) throws(HTTPError) -> Bool {
        if available > 0 { return true }
        return try fill(patience: patience) != nil
    }

    /// A line without its end. `budget` is what is left of the head's limit.
    private mutating func line(_ budget: inout Int) throws(HTTPError) -> [UInt8] {
        var scanned = 0
        while true {
            if let end = buffer[(start + scanned)...].firstIndex(of: 10) {
                budget -= end + 1 - start
                guard budget >= 0 else { throw tooLargeHead }
                var line = buffer[start..<end]
                if line.last == 13 { line.removeLast() }
                start = end + 1
                return Array(line)
            }
            scanned = available
            guard scanned <= budget else { throw tooLargeHead }
            if try fill() == false {
                if scanned == 0 { throw HTTPError(.closed, "\(peer) closed the connection without an answer") }
                throw HTTPError(.closed, "\(peer) closed the connection in the middle of a line")
            }
        }
    }

    private var tooLargeHead: HTTPError {
        HTTPError(.tooLarge, "the head of the answer of \(peer) exceeds \(limits.head) bytes")
    }

    /// The head of the answer. Answers that only say "go on" (1xx) are skipped, unless `keepsContinue` asks for them.
    mutating func head(keepsContinue: Bool = false) throws(HTTPError) -> ResponseHead {
        var budget = limits.head
        for _ in 0..<20 {
            let first = try line(&budget)
            let (status, reason) = try statusLine(first)
            let headers = try fields(&budget)
            if status == 101 { throw malformed("it switched to another protocol without being asked") }
            if status >= 200 || keepsContinue { return ResponseHead(status: status, reason: reason, headers: headers) }
        }
        throw malformed("more than 20 interim answers")
    }

    private func statusLine(_ line: [UInt8]) throws(HTTPError) -> (Int, String) {
        let prefix = Array("HTTP/1.".utf8)
        guard line.starts(with: prefix), line.count >= 12, (48...57).contains(line[7]), line[8] == 32,
            line[9...11].allSatisfy({ (48...57).contains($0) }), line.count == 12 || line[12] == 32
        else {
            let printable = line.prefix(40).map { (32...126).contains($0) ? $0 : UInt8(ascii: "?") }
            let shown = String(decoding: printable, as: UTF8.self)
            throw malformed("its first line is '\(shown)'")
        }
        let status = line[9...11].reduce(0) { $0 * 10 + Int($1 - 48) }
        guard status >= 100 else { throw malformed("its status is \(status)") }
        return (status, text(line.dropFirst(13)))
    }

    private mutating func fields(_ budget: inout Int) throws(HTTPError) -> Headers {
        var pairs: [(name: String, value: String)] = []
        while true {
            let line = try line(&budget)
            if line.isEmpty { break }
            if line[0] == 32 || line[0] == 9 {
                // A folded line, obsolete but still seen.
                guard !pairs.isEmpty else { throw malformed("its first header field begins with a space") }
                pairs[pairs.count - 1].value += " " + text(line[...])
                continue
            }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
                line[..<colon].allSatisfy(isTokenCharacter)
            else { throw malformed("a header line without a name") }
            guard pairs.count < limits.fields else {
                throw HTTPError(.tooLarge, "the answer of \(peer) has more than \(limits.fields) header fields")
            }
            pairs.append((text(line[..<colon]), text(line[(colon + 1)...])))
        }
        var headers = Headers()
        for (name, value) in pairs { headers.add(name, value) }
        return headers
    }

    /// Text without the space around it. Header fields are ASCII or UTF-8; other bytes become U+FFFD.
    private func text(_ bytes: ArraySlice<UInt8>) -> String {
        var bytes = bytes
        while let first = bytes.first, first == 32 || first == 9 { bytes.removeFirst() }
        while let last = bytes.last, last == 32 || last == 9 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// How the length of a body is told.
    private enum Framing { case none, counted(Int), chunked, untilClosed }

    private func framing(of head: ResponseHead, method: String) throws(HTTPError) -> Framing {
        if method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304 { return .none }
        if let coding = head.headers["Transfer-Encoding"]?.lowercased() {
            let codings = elements(of: coding)
            if codings == ["chunked"] { return .chunked }
            if codings != ["identity"] {
                throw malformed("transfer encoding '\(coding.prefix(40))', which was not asked for")
            }
        }
        guard let text = head.headers["Content-Length"] else { return .untilClosed }
        // Sent several times, it must be the same each time.
        let lengths = Set(elements(of: text))
        guard lengths.count == 1, let length = lengths.first, length.utf8.allSatisfy({ (48...57).contains($0) }),
            let count = Int(length)
        else { throw malformed("its content length is '\(text.prefix(60))'") }
        return .counted(count)
    }

    /// The elements of a field that is a list.
    private func elements(of field: String) -> [String] {
        field.split(separator: ",").map { text(Array($0.utf8)[...]) }.filter { !$0.isEmpty }
    }

    /// Reads the body: to a sink, or into memory and returned.
    mutating func body(of head: ResponseHead, method: String, into sink: BodySink?) throws(HTTPError) -> [UInt8] {
        var body = Collector(sink: sink, limit: sink == nil ? limits.memory : limits.stream, peer: peer)
        switch try framing(of: head, method: method) {
        case .none: break
        case .counted(let count):
            try body.announce(count)
            try move(count, to: &body)
        case .chunked: try chunks(to: &body)
        case .untilClosed:
            repeat { try move(available, to: &body) } while try fill() != false
            guard stream.isEndGenuine else { throw cut }
        }
        return body.bytes
    }

    private var cut: HTTPError { HTTPError(.cut, "\(peer) closed the connection in the middle of the answer") }

    private mutating func move(_ count: Int, to body: inout Collector) throws(HTTPError) {
        var left = count
        while left > 0 {
            if available == 0, try fill() == false { throw cut }
            let piece = min(left, available)
            try body.take(buffer[start..<start + piece])
            start += piece
            left -= piece
        }
    }

    private mutating func chunks(to body: inout Collector) throws(HTTPError) {
        while true {
            var budget = 4096
            let line = try line(&budget)
            let digits = line.prefix { hexDigit($0) != nil }
            let rest = line.dropFirst(digits.count).drop { $0 == 32 || $0 == 9 }
            guard (1...15).contains(digits.count), rest.isEmpty || rest.first == UInt8(ascii: ";") else {
                throw malformed("the length of a chunk is not a number")
            }
            let count = digits.reduce(0) { $0 << 4 | Int(hexDigit($1) ?? 0) }
            if count == 0 { break }
            try move(count, to: &body)
            guard try self.line(&budget).isEmpty else { throw malformed("a chunk is longer than it says") }
        }
        var budget = limits.head
        _ = try fields(&budget)
    }
}

/// Where a body goes, and how much of it.
private struct Collector {
    let sink: BodySink?
    let limit: Int?
    let peer: String
    var bytes: [UInt8] = []
    private var count = 0

    init(sink: BodySink?, limit: Int?, peer: String) {
        self.sink = sink
        self.limit = limit
        self.peer = peer
    }

    /// Refuses a body that will be too long before any of it is read.
    func announce(_ length: Int) throws(HTTPError) {
        guard let limit, length > limit else { return }
        throw HTTPError(.tooLarge, "the answer of \(peer) has \(length) bytes, more than the limit of \(limit)")
    }

    mutating func take(_ piece: ArraySlice<UInt8>) throws(HTTPError) {
        count += piece.count
        if let limit, count > limit {
            throw HTTPError(.tooLarge, "the answer of \(peer) is longer than the limit of \(limit) bytes")
        }
        guard let sink else {
            bytes += piece
            return
        }
        do { try sink(piece.span) } catch { throw HTTPError(.sink, "\(error)") }
    }
}
