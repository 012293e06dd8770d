package import Values

extension SSHConfig {
    /// Takes options as one gives them to `ssh`: `-o X=Y`, `-o "X Y"`, `-J`, `-i`, `-p`, `-l`, `-F`.
    ///
    /// This is how Ansible passes them on (`ansible_ssh_common_args`, `ansible_ssh_extra_args`, `ssh_args`). What only
    /// matters to the program `ssh` is passed over, with a warning where that may be missed. What would keep `ssh` from
    /// connecting to the host is an error: a word without an option, which it takes for a host, and an option that it
    /// does not have. To be called before files are read, since the first value of an option wins.
    /// - Returns: the file that `-F` names instead of the usual ones.
    @discardableResult
    package mutating func read(arguments: String) throws(Diagnostic) -> String? {
        var rest = SSHConfig.words(of: arguments)[...]
        var file: String?
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word.count > 1 else {
                throw Diagnostic(
                    "the ssh argument '\(word)' is no option: ssh would take it for the host to connect to",
                    hint: "expected options, as in '-o ProxyJump=bastion'")
            }
            var letters = word.dropFirst()
            while let flag = letters.first, SSHConfig.flags.contains(flag) { letters = letters.dropFirst() }
            guard let option = letters.first else { continue }
            guard SSHConfig.options.contains(option) else {
                guard let hasValue = SSHConfig.unsupported[option] else {
                    throw Diagnostic("the ssh argument '-\(option)' is not known: ssh would refuse it")
                }
                warn("the ssh argument '-\(option)' is not supported and passed over")
                if hasValue, letters.count == 1 { _ = rest.popFirst() }
                continue
            }
            let attached = letters.dropFirst()
            guard let value = attached.isEmpty ? rest.popFirst() : String(attached) else {
                throw Diagnostic("the ssh argument '-\(option)' has no value: ssh would refuse it")
            }
            switch option {
            case "o":
                guard let (keyword, words, _) = SSHConfig.split(value) else { continue }
                set(keyword, words)
            case "J": set("ProxyJump", [value])
            case "i": set("IdentityFile", [value])
            case "p": set("Port", [value])
            case "l": set("User", [value])
            case "F": file = value
            default: break
            }
        }
        return file
    }

    /// Letters without a value that change nothing here: compression, verbosity, terminals, forwarding off.
    private static let flags: Set<Character> = [
        "C", "q", "v", "t", "T", "n", "N", "f", "A", "a", "x", "X", "Y", "k", "K", "4", "6", "g", "y",
    ]
    /// Letters that `ssh` has and that mean something else than to connect, or what is not done here; whether they have
    /// a value.
    private static let unsupported: [Character: Bool] = [
        "1": false, "2": false, "G": false, "M": false, "P": true, "s": false, "V": false, "W": true,
    ]
    /// Letters with a value; those that `read` does not look at change nothing here.
    private static let options: Set<Character> = [
        "o", "J", "i", "p", "l", "F", "S", "E", "e", "c", "m", "b", "B", "L", "R", "D", "O", "Q", "w", "I",
    ]
}
