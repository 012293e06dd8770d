import Values

/// A filter, test or lookup as its documentation says it.
package struct FunctionSummary: Sendable {
    package var name: String
    /// The name with its collection.
    package var fullName: String
    /// One line.
    package var summary: String
    /// Other names of it.
    package var aliases: [String] = []
    /// What stands behind the value, in order.
    package var parameters: [String] = []
    package var required = 0
    /// Takes more than these.
    package var isOpen = false

    /// - Parameter table: `name, alias | what it does`, a line each; `[collection]` stands before those of one that is
    ///   not `ansible.builtin`.
    package static func rows(_ table: String) -> [FunctionSummary] {
        var rows: [FunctionSummary] = []
        var collection = "ansible.builtin"
        for line in table.split(separator: "\n") {
            if line.hasPrefix("[") {
                collection = String(line.dropFirst().dropLast())
                continue
            }
            guard let bar = line.firstRange(of: " | ") else { continue }
            let names = line[..<bar.lowerBound].split(separator: ",").map(\.trimmed)
            for name in names {
                rows.append(
                    FunctionSummary(
                        name: name, fullName: "\(collection).\(name)", summary: String(line[bar.upperBound...]),
                        aliases: names.filter { $0 != name }))
            }
        }
        return rows.sorted { $0.fullName < $1.fullName }
    }
}

extension FunctionSummary {
    /// A reference page of them all.
    ///
    /// - Parameter use: how one is written, of its name with its arguments.
    package static func page(_ title: String, _ rows: [FunctionSummary], _ use: (String) -> String) -> String {
        var lines = [
            "# \(title)", "", "Made by `gantry doc --markdown`; do not edit.", "",
            "| use | what it does |", "|---|---|",
        ]
        for row in rows {
            let collection = row.fullName.dropLast(row.name.count + 1)
            let from = collection == "ansible.builtin" ? "" : " (`\(collection)`)"
            let rest = row.parameters + (row.isOpen ? ["…"] : [])
            let words = row.name + (rest.isEmpty ? "" : "(\(rest.joined(separator: ", ")))")
            lines.append("| `\(use(words))` | \(row.summary)\(from) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Filters {
    /// Their reference page.
    package static func page(_ kind: PluginKind) -> String {
        kind == .filter
            ? FunctionSummary.page("Filters", summaries(.filter)) { "value \\| \($0)" }
            : FunctionSummary.page("Tests", summaries(.test)) { "value is \($0)" }
    }

    /// The documentation of all filters and tests that have names of their own: what a test compares them with.
    package static func summaries(_ kind: PluginKind) -> [FunctionSummary] {
        let (written, table) = kind == .filter ? (filterSummaries, filter(named:)) : (testSummaries, test(named:))
        return FunctionSummary.rows(written).map { row in
            guard let filter = table(row.name) else { return row }
            var row = row
            row.parameters = filter.parameters
            row.required = filter.required
            row.isOpen = filter.isOpen
            return row
        }
    }

    /// The names in the tables, but those of other collections' own and of signs.
    package static func documentedNames(_ kind: PluginKind) -> [String] {
        (kind == .filter ? names : testNames).filter { name in
            !name.contains(".") && name.unicodeScalars.contains { $0.properties.isAlphabetic }
        }
    }

    private static let filterSummaries = """
        abs | The absolute value of a number.
        attr | An attribute of a value by its name; never an item.
        b64decode | The text that Base64 stands for.
        b64encode | A text in Base64.
        basename | The last part of a path.
        batch | Lists of so many items each, of one list.
        bool | True or false, of words such as yes, on and 1.
        capitalize | The first character in upper case, the others in lower case.
        center | A text in the middle of a field.
        checksum, sha1 | The SHA-1 digest of a text, in hexadecimal digits.
        combinations | All choices of so many items, without regard to their order.
        combine | One mapping of several; later ones win.
        comment | A text as comments of some language.
        commonpath | The longest folder that all paths are in.
        default, d | The value, or another one where it is not defined.
        dict2items | A list with key and value of each entry of a mapping.
        dictsort | The entries of a mapping in order, as pairs.
        difference | What is in the first list and not in the other.
        dirname | A path without its last part.
        escape, e, forceescape | A text in which what HTML gives a meaning to stands for itself.
        expanduser | A path with ~ filled in.
        expandvars | A text with variables of the environment filled in.
        extract | What a key or an index picks from a container.
        fileglob | The files of the controller that a pattern matches.
        filesizeformat | A number of bytes in units that people read.
        first | The first item.
        flatten | A list whose lists are replaced by their items.
        float | A number with a fraction.
        format | The text with its % places filled in.
        from_json | The value that JSON stands for.
        from_yaml | The value that YAML stands for.
        from_yaml_all | The values of all documents of a YAML text.
        groupby | The items in groups that share an attribute.
        hash | The digest of a text by an algorithm of your choice.
        human_readable | A number of bytes or bits with a unit.
        human_to_bytes | The number of bytes that a text with a unit says.
        indent | A text whose lines are moved to the right.
        int | A whole number.
        intersect | What is in both lists.
        items | The entries of a mapping, as pairs.
        items2dict | A mapping of a list of keys and values.
        join | The items as one text, something between them.
        last | The last item.
        length, count | How many items there are.
        list | The items as a list.
        log | The logarithm; the natural one without a base.
        lower | A text in lower case.
        mandatory | The value; where it is not defined, an error of your words.
        map | For each item an attribute of it, or what a filter makes of it.
        max | The largest item.
        md5 | The MD5 digest of a text, in hexadecimal digits.
        min | The smallest item.
        normpath | A path without . and .. in it.
        password_hash | A password as it stands in /etc/shadow.
        path_join | One path of several parts.
        permutations | All orders of so many items.
        pow | A number raised to a power.
        pprint | A value as Python writes it.
        product | All tuples with one item of each list.
        quote | A text as one word for a shell.
        random | A number below this one, or one of the items, by chance.
        realpath | A path of the controller without links in it.
        regex_escape | A text in which what regular expressions give a meaning to stands for itself.
        regex_findall | Everything in a text that a regular expression matches.
        regex_replace | A text with what a regular expression matches replaced.
        regex_search | The first thing in a text that a regular expression matches.
        reject | The items that a test does not hold for.
        rejectattr | The items with an attribute that a test does not hold for.
        rekey_on_member | A mapping by a member of its items.
        relpath | A path as it is seen from a folder.
        replace | A text with something in it replaced.
        reverse | The items from the last to the first.
        root | The square root, or another.
        round | A number rounded to so many digits.
        safe | A text that is not to be escaped.
        select | The items that a test holds for.
        selectattr | The items with an attribute that a test holds for.
        shuffle | The items in an order of chance.
        slice | So many lists of one list.
        sort | The items in order.
        split | The words of a text.
        splitext | A path in two: with its extension apart.
        strftime | A time written by a format.
        string | A value as text.
        striptags | A text without the tags of HTML.
        subelements | Each item with each member of a list in it.
        sum | The sum of the items.
        symmetric_difference | What is in one of the two lists alone.
        ternary | One of two values, by a condition.
        title | Each word with its first letter in upper case.
        to_datetime | A time of a text.
        to_json, tojson | A value as JSON.
        to_nice_json | A value as JSON over several lines.
        to_nice_yaml | A value as YAML over several lines.
        to_uuid | A UUID that a text always gives.
        to_yaml | A value as YAML.
        trim | A text without blanks at its ends.
        truncate | A text cut off at a length.
        type_debug | The name of a value's type.
        union | What is in one of the two lists or in both.
        unique | The items, each once.
        unvault | What a vault holds.
        upper | A text in upper case.
        urldecode | A text with the % sequences of URLs resolved.
        urlencode | A text as a part of a URL, or a mapping as its query.
        urlize | A text in which addresses are links of HTML.
        urlsplit | The parts of a URL.
        vault | A text encrypted as a vault.
        win_basename | The last part of a path of Windows.
        win_dirname | A path of Windows without its last part.
        win_splitdrive | The drive of a path of Windows, and the rest.
        wordcount | How many words there are.
        wordwrap | A text in lines of a width.
        xmlattr | A mapping as attributes of XML.
        zip | Tuples of items that stand at the same place of several lists.
        zip_longest | The same up to the end of the longest list.
        [ansible.utils]
        cidr_merge | As few networks as hold the same addresses.
        hwaddr, macaddr | A hardware address in a form of your choice.
        ipaddr | An address or network, or what a query asks of it.
        ipmath | An address so many further.
        ipsubnet | Networks within a network.
        ipv4 | The same of IPv4 alone as ipaddr.
        ipv6 | The same of IPv6 alone as ipaddr.
        ipwrap | An address of IPv6 in brackets, others as they are.
        network_in_network | Whether a network holds an address or network.
        network_in_usable | Whether an address is one that a network's hosts may have.
        next_nth_usable | The address of a host so many behind this one.
        nthhost | The address of a network at a place.
        previous_nth_usable | The address of a host so many before this one.
        reduce_on_network | The addresses that a network holds.
        [community.general]
        json_query, jmespath | What a JMESPath expression picks from a value.
        """

    private static let testSummaries = """
        abs, is_abs | The path begins at the root.
        all | All items are true.
        any | An item is true.
        boolean | It is true or false.
        callable | It can be called.
        changed, change | The task changed something.
        contains | The value holds an item.
        defined | There is such a variable.
        directory, is_dir | There is a folder of this path on the controller.
        divisibleby | A number divides it.
        eq, equalto | Both are equal.
        escaped | It is text that is not to be escaped again.
        even | It is an even number.
        exists | There is something at this path of the controller.
        failed, failure | The task failed.
        false | It is the value false.
        falsy | It is as good as false.
        file, is_file | There is a file of this path on the controller.
        filter | There is a filter of this name.
        finished | What runs in the background has ended.
        float | It is a number with a fraction.
        ge | It is the same or larger.
        greaterthan, gt | It is larger.
        in | It is one of the items.
        integer | It is a whole number.
        iterable | It has items.
        le | It is the same or smaller.
        lessthan, lt | It is smaller.
        link, is_link | There is a link of this path on the controller.
        link_exists | There is something at this path, be it a link to nothing.
        lower | All letters are in lower case.
        mapping | It is a mapping.
        match | The text begins with what a regular expression matches.
        mount, is_mount | A file system is mounted at this path of the controller.
        nan, isnan | It is no number that arithmetic gives.
        ne | Both differ.
        none | It is none.
        number | It is a number.
        odd | It is an odd number.
        reachable | The host of the task was reached.
        regex | A regular expression matches the text.
        same_file, is_same_file | Both paths are the same file of the controller.
        sameas | Both are the same object.
        search | A regular expression matches something in the text.
        sequence | It has items in an order.
        skipped, skip | The task was left out.
        started | The task was started in the background.
        string | It is text.
        subset, issubset | All items are in the other list.
        succeeded, success, successful | The task did not fail.
        superset, issuperset | All items of the other list are here.
        test | There is a test of this name.
        timedout | The task took too long.
        true | It is the value true.
        truthy | It is as good as true.
        undefined | There is no such variable.
        unreachable | The host of the task was not reached.
        upper | All letters are in upper case.
        uri | It is a URI.
        url | It is a URL.
        urn | It is a URN.
        vault_encrypted | The text is a vault.
        vaulted_file | The file of the controller is a vault.
        version, version_compare | How a version stands to another.
        [ansible.utils]
        in_network | The address or network is in a network.
        ip | It is an address or a network.
        ip_address | It is an address.
        ipv4 | It is an address or a network of IPv4.
        ipv4_address | It is an address of IPv4.
        ipv6 | It is an address or a network of IPv6.
        ipv6_address | It is an address of IPv6.
        loopback | It is an address of the machine itself.
        multicast | It is an address of a group.
        private | It is an address of a network that is not public.
        public | It is an address that is known everywhere.
        subnet_of | The network is within another.
        supernet_of | The network holds another.
        """
}
