import Values

extension SSHConfig {
    /// Takes options as one gives them to `ssh`: `-o X=Y`, `-o "X Y"`, `-J`, `-i`, `-p`, `-l`, `-F`.
    ///
    /// This is how Ansible passes them on (`ansible_ssh_common_args`, `ansible_ssh_extra_args`, `ssh_args`). What only
    /// matters to the program `ssh` is passed over; what is not understood gets a warning. To be called before files
    /// are read, since the first value of an option wins.
    /// - Returns: the file that `-F` names instead of the usual ones.
    @discardableResult
    package mutating func read(arguments: String) -> String? {
        var rest = SSHConfig.words(of: arguments)[...]
        var file: String?
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), let letter = word.dropFirst().first else {
                warn("the ssh argument '\(word)' is not understood and passed over")
                continue
            }
            var letters = word.dropFirst()
            while let flag = letters.first, SSHConfig.flags.contains(flag) { letters = letters.dropFirst() }
            guard let option = letters.first else { continue }
            guard SSHConfig.options.contains(option) else {
                warn("the ssh argument '-\(option)' is not supported and passed over")
                continue
            }
            let attached = letters.dropFirst()
            guard let value = attached.isEmpty ? rest.popFirst() : String(attached) else {
                warn("the ssh argument '-\(letter)' has no value")
                continue
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
    /// Letters with a value; those that `read` does not look at change nothing here.
    private static let options: Set<Character> = [
        "o", "J", "i", "p", "l", "F", "S", "E", "e", "c", "m", "b", "B", "L", "R", "D", "O", "Q", "w", "I",
    ]
}
