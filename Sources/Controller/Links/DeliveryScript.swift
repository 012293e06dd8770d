import Values

/// The shell command that starts the agent on a node, or waits for it to be sent.
///
/// It speaks lines that begin with a marker, so that what login scripts print is told from it:
/// `have`, then it is the agent; `need ARCHITECTURE COMPRESSION`, then it reads the program; `error KIND DETAIL`.
/// Everything it uses is in POSIX, `mktemp` apart; it is one line, without single quotes, for any login shell.
struct DeliveryScript {
    let image: AgentImage
    /// The folder for agents; `nil`: `/var/lib/gantry/agent` for root, `~/.cache/gantry` for others.
    let folder: String?
    /// Asks for the agent even where it is: the one there has turned out to be damaged.
    var isAnew = false

    /// What begins every line of the script.
    var marker: String { "gantry-agent-\(image.digest.prefix(16))" }

    /// To be given to a shell.
    var command: String { "exec /bin/sh -c '\(text)'" }

    /// To be given to `/bin/sh -c` as one argument.
    var text: String {
        [
            "m=\(marker); s=\(image.digest)",
            chosenFolder,
            "f=\"$d/agent-$s\"",
            // No process is started on this way: it is taken at every run. `-O`: owned by who runs this.
            isAnew
                ? ":"
                : "if [ -x \"$f\" ] && [ -O \"$f\" ] && [ -O \"$d\" ] && [ ! -L \"$f\" ] && [ ! -L \"$d\" ]; "
                    + "then echo \"$m have\"; exec \"$f\" serve; fi",
            "e() { [ -n \"$t\" ] && rm -f \"$t\"; echo \"$m error $*\"; exit 64; }",
            // For what is made here; the agent, and what it runs, gets the user's own back.
            "u=$(umask); umask 077; t=",
            "mkdir -p \"$d\" 2>/dev/null || e folder \"$d\"",
            // The mode as `ls` shows it: nobody else may write there.
            "[ -O \"$d\" ] && [ ! -L \"$d\" ] || e owner \"$d\"",
            "case \"$(ls -ld \"$d/\")\" in d????-??-*) ;; *) e mode \"$d\" ;; esac",
            "t=\"$(mktemp \"$d/.new.XXXXXXXX\" 2>/dev/null)\" || e write \"$d\"",
            // A file that may be executed and cannot be is on a file system mounted `noexec`.
            "chmod 700 \"$t\" && [ -x \"$t\" ] || e noexec \"$d\"; chmod 600 \"$t\"",
            tools,
            "echo \"$m need $(uname -m) $z\"",
            "if [ $z = gzip ]; then head -c \(image.compressed.count) | gzip -dc > \"$t\" || e upload \"$d\"; "
                + "else head -c \(image.program.count) > \"$t\" || e upload \"$d\"; fi",
            "h=\"$($c < \"$t\")\" || e upload \"$d\"",
            "case \"$h\" in *$s*) ;; *) e digest \"$d\" ;; esac",
            "chmod 700 \"$t\" && mv -f \"$t\" \"$f\" || e write \"$d\"",
            "t=; ls -t \"$d\" | grep \"^agent-\" | tail -n +3 | while read -r o; do rm -f \"$d/$o\"; done",
            "umask $u; echo \"$m have\"; exec \"$f\" serve",
        ].joined(separator: "; ")
    }

    private var chosenFolder: String {
        guard let folder else {
            return "if [ -O / ]; then d=/var/lib/gantry/agent; else d=\"$HOME/.cache/gantry\"; fi"
        }
        if folder == "~" || folder.hasPrefix("~/") { return "d=\"$HOME\"\(Self.quoted(String(folder.dropFirst(1))))" }
        if folder.hasPrefix("$HOME") { return "d=\"$HOME\"\(Self.quoted(String(folder.dropFirst(5))))" }
        return "d=\(Self.quoted(folder))"
    }

    private var tools: String {
        "if command -v gzip >/dev/null; then z=gzip; else z=plain; fi; "
            + "if command -v sha256sum >/dev/null; then c=sha256sum; "
            + "elif command -v shasum >/dev/null; then c=\"shasum -a 256\"; "
            + "elif command -v openssl >/dev/null; then c=\"openssl dgst -sha256\"; "
            + "else e tools sha256sum; fi"
    }

    /// In double quotes, each character that means something there escaped; a single quote by its number.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for character in text {
            switch character {
            case "\"", "\\", "$", "`": out += "\\\(character)"
            case "'": out += "\"\"$(printf \"\\\\047\")\"\""
            default: out.append(character)
            }
        }
        return out + "\""
    }
}

/// What the script says.
enum DeliveryLine: Equatable {
    case have
    case need(architecture: String, isCompressed: Bool)
    case error(kind: String, detail: String)

    /// - Parameter line: without its marker and newline.
    init?(_ line: Substring) {
        let words = line.split(separator: " ", maxSplits: 2).map(String.init)
        switch words.first {
        case "have": self = .have
        case "need" where words.count == 3: self = .need(architecture: words[1], isCompressed: words[2] == "gzip")
        case "error" where words.count >= 2: self = .error(kind: words[1], detail: words.count > 2 ? words[2] : "")
        default: return nil
        }
    }
}
