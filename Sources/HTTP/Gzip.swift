import CZlib

/// Opens what a server has sent as gzip (RFC 1952), by zlib.
package enum Gzip {
    /// The content of one or more gzip members, each with its length and checksum right.
    ///
    /// - Parameter limit: more bytes than these are an error.
    package static func inflated(_ bytes: [UInt8], limit: Int) throws(HTTPError) -> [UInt8] {
        var out: [UInt8] = []
        var rest = bytes[...]
        repeat {
            let used = try member(rest, into: &out, limit: limit)
            rest = rest.dropFirst(used)
        } while rest.starts(with: [0x1f, 0x8b])
        return out
    }

    /// - Returns: how many bytes the member takes.
    private static func member(
        _ bytes: ArraySlice<UInt8>, into out: inout [UInt8], limit: Int
    ) throws(HTTPError) -> Int {
        var stream = unsafe z_stream()
        // The largest window, and gzip's header and no other.
        let begun = unsafe inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard begun == Z_OK else { throw broken("zlib does not start") }
        defer { _ = unsafe inflateEnd(&stream) }
        var input = Array(bytes)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let length = input.count
        var used = 0
        while true {
            let (status, taken, given) = unsafe input.withUnsafeMutableBufferPointer { source in
                unsafe chunk.withUnsafeMutableBufferPointer { target in
                    let count = UInt32(min(length - used, 1 << 30))
                    unsafe stream.next_in = source.baseAddress.map { unsafe $0 + used }
                    unsafe stream.avail_in = count
                    unsafe stream.next_out = target.baseAddress
                    unsafe stream.avail_out = UInt32(target.count)
                    let status = unsafe inflate(&stream, Z_NO_FLUSH)
                    return unsafe (status, Int(count - stream.avail_in), target.count - Int(stream.avail_out))
                }
            }
            used += taken
            out += chunk[..<given]
            if out.count > limit { throw broken("it holds more than \(limit) bytes") }
            switch status {
            case Z_STREAM_END: return used
            case Z_OK where taken > 0 || given > 0: continue
            case Z_OK, Z_BUF_ERROR: throw broken("it ends too early")
            default: throw broken(unsafe stream.msg.map { unsafe String(cString: $0) } ?? "it does not begin like one")
            }
        }
    }

    private static func broken(_ why: String) -> HTTPError {
        HTTPError(.badResponse, "the answer is no gzip: \(why)")
    }
}
