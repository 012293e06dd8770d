@testable import SSH
import Testing
import Values

struct DigestTests {
    @Test func knownAnswers() {
        let hex = { (bytes: [UInt8]) in
            bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        }
        // FIPS 180-4 and RFC 2202.
        #expect(hex(sha256(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(hex(sha256([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let long = Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)
        #expect(hex(sha256(long)) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(
            hex(hmacSHA1(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8)))
                == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
        let key = [UInt8](repeating: 0xaa, count: 80)
        #expect(
            hex(hmacSHA1(key: key, Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)))
                == "aa4ae5e15272d00e95705637ce8a3b55ed402112")
    }

    @Test func base64GoesBothWays() {
        for (text, code) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            #expect(base64(Array(text.utf8)) == code)
            #expect(base64Decoded(code.utf8) == Array(text.utf8))
        }
        #expect(base64Decoded("Zm9v!".utf8) == nil)
    }
}

struct KnownHostsTests {
    static let key = "AAAAC3NzaC1lZDI1NTE5AAAAIGrxyaNo4F2C0oPBRuj7fSkvFV2EFcbyUOZ2eXO0BeQ8"

    @Test(arguments: [
        ("web", "web", true), ("web", "WEB", true), ("web,db", "db", true), ("*.example.org", "a.example.org", true),
        ("*.example.org,!b.example.org", "b.example.org", false), ("!b.example.org,*", "b.example.org", false),
        ("10.0.0.?", "10.0.0.1", true), ("10.0.0.?", "10.0.0.12", false), ("[web]:2222", "[web]:2222", true),
        ("web", "[web]:2222", false), ("*", "x", true), ("web", "web2", false),
    ])
    func namesMatch(patterns: String, name: String, expected: Bool) {
        let text = "\n# x\n\(patterns) ssh-ed25519 \(Self.key) note\n"
        let file = KnownHostsFile(path: "known_hosts", text: Array(text.utf8))
        #expect(file.entries(for: name.lowercased()).map(\.line) == (expected ? [3] : []))
    }

    /// The form that `ssh-keygen -H` writes; a file it wrote itself is read in `HostKeyTests`.
    @Test func hashedNamesMatch() {
        let name = "host.example"
        let salt: [UInt8] = (0..<20).map { UInt8($0) }
        let line = "|1|\(base64(salt))|\(base64(hmacSHA1(key: salt, Array(name.utf8)))) ssh-ed25519 \(Self.key)"
        let file = KnownHostsFile(path: "known_hosts", text: Array(line.utf8))
        #expect(file.entries(for: name).count == 1)
        #expect(file.entries(for: "other.example").isEmpty)
    }

    @Test func junkIsPassedOver() {
        let key = "ssh-ed25519 \(Self.key)"
        let junk = "one\ntwo words\n@unknown * \(key)\n|1|x \(key)\n\u{0}\u{ff}\n@revoked\n"
        #expect(KnownHostsFile(path: "f", text: Array(junk.utf8)).entries(for: "one").isEmpty)
    }

    @Test func namesCarryThePort() {
        #expect(KnownHosts.name(host: "Web", port: 22, alias: nil) == "web")
        #expect(KnownHosts.name(host: "::1", port: 2222, alias: nil) == "[::1]:2222")
        #expect(KnownHosts.name(host: "web", port: 2222, alias: "Alias") == "alias")
    }
}

struct SSHConfigTests {
    private func config(_ text: String, host: String = "web") -> SSHConfig {
        var config = SSHConfig(host: host)
        config.read(text, named: "config")
        return config
    }

    @Test func theFirstValueWins() throws {
        let text = """
            # mine
            Host web db
              HostName=10.0.0.12
              Port 2222
              IdentityFile ~/.ssh/%r_%h
            Host *.example.org !b.example.org
              User elsewhere
            Match host 10.0.0.* user deploy
              ServerAliveInterval 2m
            Host *
              Port 22
              User "deploy"
              IdentityFile /keys/usual
              StrictHostKeyChecking accept-new
              UserKnownHostsFile /a /b
            Match host 10.0.0.* user deploy
              ConnectTimeout 7
            Match exec "true"
              Port 1
            """
        let config = config(text)
        let target = try config.target()
        #expect(target.endpoint == "10.0.0.12:2222")
        #expect(target.user == "deploy")
        #expect(target.identities == [.file(homeDirectory + "/.ssh/deploy_10.0.0.12"), .file("/keys/usual")])
        #expect(target.hostKeyPolicy == .acceptNew)
        #expect(target.knownHostsFiles == ["/a", "/b"])
        #expect(target.connectTimeout == 7)
        // The user was not known yet where the block stands.
        #expect(target.keepAlive == 30)
        #expect(config.warnings.map(\.rendered) == [
            """
            config:18:1: warning: 'Match exec' is not supported, the block is passed over
              18 | Match exec "true"
                 | ^
            """,
        ])
    }

    @Test(arguments: [
        ("bastion", "the ssh argument 'bastion' is no option: ssh would take it for the host to connect to"),
        ("-C bastion -v", "the ssh argument 'bastion' is no option: ssh would take it for the host to connect to"),
        ("-", "the ssh argument '-' is no option: ssh would take it for the host to connect to"),
        ("-Z", "the ssh argument '-Z' is not known: ssh would refuse it"),
        ("-vo", "the ssh argument '-o' has no value: ssh would refuse it"),
    ])
    func whatSSHWouldRefuseIsAnError(arguments: String, message: String) {
        var config = SSHConfig(host: "web")
        do throws(Diagnostic) {
            try config.read(arguments: arguments)
            Issue.record("'\(arguments)' was taken")
        } catch { #expect(error.message == message) }
    }

    @Test func argumentsOfTheProgramAlonePassWithAWarning() throws {
        var config = SSHConfig(host: "web")
        let file = try config.read(arguments: "-C -W x:1 -p 2222")
        #expect(file == nil)
        let target = try config.target()
        #expect(target.port == 2222)
        #expect(config.warnings.map(\.message) == ["the ssh argument '-W' is not supported and passed over"])
    }

    @Test func hostNamesCanUseTheAlias() throws {
        #expect(try config("Host *\n HostName %h.example.org\n HostKeyAlias %n").target().host == "web.example.org")
        #expect(try config("Host !web *\n Port 1").target().port == 22)
        #expect(try config("Match all\n Port 3").target().port == 3)
        #expect(try config("Match !host web\n Port 3").target().port == 22)
    }

    @Test func wrongValuesAreNamed() {
        let warnings = config("Port x\nHostNam y\nIdentitiesOnly perhaps\nConnectTimeout soon\nCompression\nCiphers +x")
            .warnings.map { "\($0.place?.line ?? 0) \($0.message)\($0.hint.map { ": " + $0 } ?? "")" }
        #expect(warnings == [
            "1 Port is 'x', not a number from 1 to 65535",
            "2 the ssh option 'HostNam' is not supported and passed over: did you mean 'hostname'?",
            "3 IdentitiesOnly is 'perhaps', not yes or no",
            "4 ConnectTimeout is 'soon', not a time such as 10 or 5m",
            "5 'Compression' has no value",
        ])
    }

    @Test func jumpHostsBecomeAChain() throws {
        let hops = ["gate": "User keeper\nProxyJump outer:2022",
            "outer": "HostName 1.2.3.4", "round": "ProxyJump round"]
        let read = { (name: String) in
            var config = SSHConfig(host: name)
            config.read(hops[name] ?? "", named: name)
            return config
        }
        let target = try config("ProxyJump gate,ssh://me@[fe80::1]:24").target(user: "deploy", hops: read)
        #expect(target.jump.map { "\($0.user)@\($0.endpoint)" } == [
            "\(localUser)@1.2.3.4:2022", "keeper@gate:22", "me@[fe80::1]:24",
        ])
        #expect(target.user == "deploy")
        #expect(throws: Diagnostic.self) { try config("ProxyJump round").target(hops: read) }
        #expect(throws: Diagnostic.self) { try config("ProxyJump a:b:c@:x").target(hops: read) }
        #expect(try config("ProxyJump none\nProxyCommand nc %h %p").target(hops: read).jump.isEmpty)
        #expect(try config("ProxyCommand nc %h %p %%\nProxyJump gate").target(hops: read).proxyCommand == "nc web 22 %")
    }

    @Test func filesIncludeFiles() throws {
        let folder = try scratchFolder()
        try write("Host web\n Include \(folder)/*.conf\nPort 5\n", to: folder + "/config")
        try write("User a\n", to: folder + "/a.conf")
        try write("User b\nInclude \(folder)/b.conf\n", to: folder + "/b.conf")
        let config = SSHConfig.load([folder + "/config"], host: "web")
        #expect(config.user == "a")
        #expect(config.port == 5)
        #expect(config.warnings.map(\.message) == ["Include is nested more than 16 deep"])
        #expect(SSHConfig.load([folder + "/config"], host: "db").user == nil)
    }

    @Test func argumentsAreUnderstood() throws {
        var config = SSHConfig(host: "web")
        let file = try config.read(
            arguments: """
                -C -o ControlMaster=auto -o ControlPersist=60s -oPort=2200 -o "User deploy" -tt -qi '/keys/my key' \
                -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -F /my/config -J gate -s -p 9
                """)
        let target = try config.target(hops: { SSHConfig(host: $0) })
        #expect(file == "/my/config")
        #expect(target.port == 2200)
        #expect(target.user == "deploy")
        #expect(target.identities == [.file("/keys/my key")])
        #expect(target.hostKeyPolicy == .off)
        #expect(target.jump.map(\.host) == ["gate"])
        #expect(config.warnings.map(\.message) == [
            "the ssh argument '-s' is not supported and passed over",
        ])
    }
}
