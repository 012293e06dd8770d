import Glibc
import Machine
import Testing

@Suite struct CommandTests {
    let machine = LinuxMachine(environment: ["PATH": "/usr/bin:/bin", "LANG": "C"])

    @Test func collectsBothOutputs() throws {
        let result = try machine.run(Command(["sh", "-c", "echo out; echo err >&2; exit 3"]))
        #expect(result == CommandResult(status: 3, output: Array("out\n".utf8), errors: Array("err\n".utf8)))
    }

    @Test func feedsLargeInputWhileReading() throws {
        let input = [UInt8](repeating: 65, count: 3 << 20)
        let result = try machine.run(Command(["cat"], input: input))
        #expect(result.status == 0)
        #expect(result.output == input)
    }

    @Test func inputThatNobodyReadsIsNoError() throws {
        let result = try machine.run(Command(["true"], input: [UInt8](repeating: 65, count: 1 << 20)))
        #expect(result.status == 0)
    }

    @Test func startsWhereAndAsTold() throws {
        let command = Command(
            ["sh", "-c", "pwd; umask; echo $A; ls /proc/self/fd | wc -l; ps -o sid= -p $$ 2>/dev/null | tr -d ' '"],
            folder: "/usr", environment: ["A": "b c"], umask: 0o027)
        let lines = try machine.run(command).outputText.split(separator: "\n")
        #expect(lines.prefix(3) == ["/usr", "0027", "b c"])
        // Three and the folder that ls itself has open.
        #expect(lines[3] == "4")
    }

    @Test func reportsSignalsAsPythonDoes() throws {
        #expect(try machine.run(Command(["sh", "-c", "kill -9 $$"])).status == -9)
    }

    @Test func endsWhatTakesTooLong() throws {
        let start = machine.now
        let result = try machine.run(Command(["sh", "-c", "echo a; sleep 60"], timeout: 0.2))
        #expect(result.timedOut)
        #expect(result.status == -15)
        #expect(result.outputText == "a\n")
        #expect(machine.now - start < 1.5)
    }

    @Test func endsWhatIgnoresTerm() throws {
        let result = try machine.run(Command(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], timeout: 0.1))
        #expect(result.timedOut)
        #expect(result.status == -9)
    }

    @Test func backgroundProcessesDoNotHoldUs() throws {
        let start = machine.now
        let result = try machine.run(Command(["sh", "-c", "sleep 5 & echo started"]))
        #expect(result == CommandResult(status: 0, output: Array("started\n".utf8)))
        #expect(machine.now - start < 1.5)
    }

    @Test func closedOutputsAreNotTheEnd() throws {
        let result = try machine.run(Command(["sh", "-c", "exec >&- 2>&-; sleep 0.2; exit 4"]))
        #expect(result.status == 4)
    }

    @Test func limitsWhatItKeeps() throws {
        let result = try machine.run(Command(["head", "-c", "100000", "/dev/zero"], outputLimit: 10))
        #expect(result.outputText == String(repeating: "\0", count: 10) + "\n(99990 bytes more were dropped)\n")
    }

    @Test func runsScriptsWithoutFirstLine() throws {
        let script = try machine.makeTemporary(folder: false, in: "/tmp", prefix: "gantry-test-", suffix: ".sh")
        defer { try? machine.remove(script) }
        try machine.replace(script, with: Array("echo $1\n".utf8), attributes: Attributes(mode: 0o755))
        #expect(try machine.run(Command([script, "hello"])).outputText == "hello\n")
    }

    @Test func stopEndsCommandsAndSleeps() throws {
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        defer { for end in ends { _ = close(end) } }
        let stoppable = LinuxMachine(stop: StopSignal(descriptor: ends[0]))
        let start = machine.now
        // The command itself asks for the stop, so that nothing here depends on time.
        let number = ends[1]
        let fifo = "/proc/\(getpid())/fd/\(number)"
        let error = #expect(throws: MachineError.self) {
            try stoppable.run(Command(["sh", "-c", "echo x > \(fifo); sleep 60"]))
        }
        #expect(error?.isStop == true)
        #expect(machine.now - start < 5)
        #expect(throws: MachineError.self) { try stoppable.sleep(seconds: 60) }
        #expect(throws: MachineError.self) { try stoppable.run(Command(["true"])) }
    }

    @Test func probesPorts() throws {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { _ = close(number) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(number, address, size) == 0 && listen(number, 5) == 0
                    && getsockname(number, address, &size) == 0
            }
        }
        try #require(bound)
        let port = Int(UInt16(bigEndian: address.sin_port))
        #expect(machine.probe(address: "127.0.0.1", port: port, timeout: 5, readLimit: 0) == .open([]))
        #expect(machine.probe(address: "127.0.0.1", port: port, timeout: 0.1, readLimit: 10) == .open([]))
        #expect(
            machine.probe(address: "127.0.0.1", port: 1, timeout: 5, readLimit: 0) == .refused("Connection refused"))
    }
}
