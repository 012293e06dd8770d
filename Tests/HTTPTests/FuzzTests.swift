@testable import HTTP
import Testing

/// Thousands of broken answers: each ends in an answer or an error, within the limits, and in time.
@Suite struct FuzzTests {
    static let seeds = [
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX: y\r\n\r\nhello world",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: x\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 302 Found\r\n"
            + "Location: http://a:b@[::1]:80/x?y#z\r\n\tfolded\r\n\r\nbody",
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
    ].map { Array($0.utf8) }

    @Test(arguments: 0..<8)
    func survivesBrokenAnswers(_ lane: Int) {
        var generator = Generator(state: UInt64(1000 + lane))
        var limits = ResponseLimits()
        limits.head = 400
        limits.fields = 10
        limits.memory = 300
        var answers = 0
        for _ in 0..<2000 {
            let stream = BrokenStream(Self.mutated(&generator), pieceSize: .random(in: 1...40, using: &generator))
            var reader = ResponseReader(stream, limits: limits, peer: "fuzz")
            do throws(HTTPError) {
                let head = try reader.head()
                let method = Bool.random(using: &generator) ? "GET" : "HEAD"
                let body = try reader.body(of: head, method: method, into: nil)
                #expect((200...999).contains(head.status))
                #expect(body.count <= limits.memory)
                #expect(head.headers.fields.count <= limits.fields)
                answers += 1
            } catch {
                #expect(!error.message.isEmpty && !error.message.contains("\n"))
            }
            #expect(stream.reads < 5000)
        }
        // The mutations must leave some answers whole, or nothing behind the head is reached.
        #expect(answers > 100)
    }

    @Test func survivesBrokenAddresses() throws {
        var generator = Generator(state: 7)
        let base = try URL("http://u:p@h:8080/a/b/../c?d")
        for _ in 0..<20000 {
            var text = Array("https://user:pa%20ss@[2001:db8::1]:8443/a/./b/../c?q=%41#f".utf8)
            Self.mutate(&text, &generator)
            let string = String(decoding: text, as: UTF8.self)
            if let url = try? URL(string) {
                let again = try URL(url.text)
                #expect(again.host == url.host && again.port == url.port && again.target == url.target)
            }
            _ = try? base.resolving(string)
            _ = HTTPDate.seconds(string)
        }
    }

    @Test func survivesBrokenDates() {
        var generator = Generator(state: 9)
        for _ in 0..<5000 {
            var text = Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8)
            Self.mutate(&text, &generator)
            if let seconds = HTTPDate.seconds(String(decoding: text, as: UTF8.self)) { _ = HTTPDate.text(seconds) }
        }
    }

    static func mutated(_ generator: inout Generator) -> [UInt8] {
        var bytes = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
        mutate(&bytes, &generator)
        return bytes
    }

    static func mutate(_ bytes: inout [UInt8], _ generator: inout Generator) {
        let special = Array("\r\n :;,0-9fF\u{0}\t%@/[]?#".utf8)
        for _ in 0..<Int.random(in: 0...4, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            let end = min(bytes.count, index + Int.random(in: 0...12, using: &generator))
            switch Int.random(in: 0...6, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[index] = special[Int.random(in: 0..<special.count, using: &generator)]
            case 2: bytes.remove(at: index)
            case 3: bytes.insert(special[Int.random(in: 0..<special.count, using: &generator)], at: index)
            case 4: bytes.insert(contentsOf: bytes[index..<end], at: Int.random(in: 0...bytes.count, using: &generator))
            case 5: bytes.removeSubrange(index..<end)
            default:
                let filler = [UInt8](repeating: bytes[index], count: Int.random(in: 1...600, using: &generator))
                bytes.insert(contentsOf: filler, at: index)
            }
        }
    }
}

/// Gives out bytes in pieces, then the end.
final class BrokenStream: ByteStream {
    private var bytes: ArraySlice<UInt8>
    private let pieceSize: Int
    private(set) var reads = 0
    var isEndGenuine: Bool { true }

    init(_ bytes: [UInt8], pieceSize: Int) {
        self.bytes = bytes[...]
        self.pieceSize = pieceSize
    }

    func read(into target: inout [UInt8], patience: Duration?) throws(HTTPError) -> Int? {
        reads += 1
        let piece = bytes.prefix(pieceSize)
        bytes = bytes.dropFirst(piece.count)
        target += piece
        return piece.count
    }

    func write(_ bytes: [UInt8]) throws(HTTPError) {}
}

/// A small generator with a seed (splitmix64), so that a failure can be repeated.
struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}
