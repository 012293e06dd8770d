/// The colours of what is shown, by Ansible's names for them.
extension Setting {
    private static func colour(_ name: String, _ fallback: String, _ summary: String) -> Setting {
        Setting(
            "COLOR_\(name.uppercased())", ["colors.\(name)"], ["ANSIBLE_COLOR_\(name.uppercased())"], fallback,
            "the colour of \(summary)")
    }

    static let colourChanged = colour("changed", "yellow", "what changed")
    static let colourPrompt = colour("console_prompt", "white", "the prompt of 'gantry console'")
    static let colourDebug = colour("debug", "dark gray", "what is told for debugging")
    static let colourDeprecated = colour("deprecate", "purple", "what will be gone")
    static let colourAdded = colour("diff_add", "green", "added lines of a diff")
    static let colourHunk = colour("diff_lines", "cyan", "the places of a diff")
    static let colourRemoved = colour("diff_remove", "red", "removed lines of a diff")
    static let colourError = colour("error", "red", "errors")
    static let colourHighlight = colour("highlight", "white", "what stands out")
    static let colourIncluded = colour("included", "cyan", "included files")
    static let colourOK = colour("ok", "green", "what is as it should be")
    static let colourSkipped = colour("skip", "cyan", "what was skipped")
    static let colourUnreachable = colour("unreachable", "bright red", "hosts that could not be reached")
    static let colourVerbose = colour("verbose", "blue", "what -v shows")
    static let colourWarning = colour("warn", "bright purple", "warnings")

    static let colours: [Setting] = [
        colourChanged, colourPrompt, colourDebug, colourDeprecated, colourAdded, colourHunk, colourRemoved,
        colourError, colourHighlight, colourIncluded, colourOK, colourSkipped, colourUnreachable, colourVerbose,
        colourWarning,
    ]
}
