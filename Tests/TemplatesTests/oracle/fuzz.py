#!/usr/bin/env python3
"""Makes expressions from a grammar, evaluates each with ansible-core and with Gantry, and prints where they differ.

fuzz.py [--count N] [--seconds S] [--seed N]: run by `make fuzz-templates`. A difference is shown by its smallest
part that differs by itself. Ends with 1 where there is any.
"""
import argparse
import json
import random
import re
import sys
import time

import exchange

VARIABLES = {
    "name": "web-01.example.com", "count": 7, "ratio": 2.5, "empty": "", "nothing": None, "yes": True,
    "ports": [443, 80, 8080], "words": ["alpha", "Beta", "gamma", "beta"], "mixed": [1, "two", 3.0, None, True, [4]],
    "user": {"name": "anna", "uid": 1000, "groups": ["wheel", "docker"], "shell": "/bin/sh"},
    "users": [{"name": "anna", "uid": 1000, "admin": True}, {"name": "bob", "uid": 1001, "admin": False},
              {"name": "carl", "uid": 999}],
    "text": "The quick brown fox\njumps over\n\nthe lazy dog  ", "path": "/etc/nginx/conf.d/site.conf",
    "big": 123456789012345678901234567890, "net": "192.168.1.0/24", "accents": "Ünïcode ß € 日本",
    "nested": "{{ count * 2 }}", "lines": ["a=1", "b=2", "c"],
    "data": {"name": "site", "rows": [{"n": 2, "tags": ["a", "b"], "name": "r2"}, {"n": 1, "tags": [], "more": {"deep": ["x"]}, "name": "q1"},
             {"n": 2, "tags": ["c"]}], "map": {"k": {"v": 1}, "w": [1, {"x": "{{ count }}"}]}, "flat": [3, [1, [2]]]},
}

STRINGS = ["", "a", "abc", "Hello World", "42", "-7", "3.14", "0x1F", "1e3", "yes", "a,b,,c", "  pad ", "tab\\tnew\\nline",
           "ünï", "<b>&\\\"x\\\"</b>", "10.0.0.1", "2001:db8::1", "k=v", "%s and %d", "aXbXc", "ABC-def_ghi", "/a/b/../c.txt",
           "1.2.3", "v1.10.0-rc1", "foo bar baz", "{'a': 1}", "[1, 2]", "{\\\"a\\\": [1, null]}", "1 KB", "2.5 MB", "'q'", "ﬁ"]
INTS = ["0", "1", "2", "3", "-1", "7", "10", "255", "1000000", "9223372036854775807", "123456789012345678901234567890"]
FLOATS = ["0.0", "1.5", "2.5", "-0.5", "3.14159", "1e20", "1e-7", "100.0", "0.1"]
PATTERNS = ["a", "[a-z]+", "(\\\\w)(\\\\w*)", "\\\\d+", "^.", "b|X", "(?P<first>\\\\w+)", "\\\\s+", "(?i)A", "x*", "$", "[^,]*", "\\\\b"]

# Filters by what they take; S text, I integer, N number, L list, D mapping, P list of mappings, A anything.
# Arguments likewise, literally where quoted; those behind `?` may be missing.
FILTERS = {
    "S": """upper lower capitalize title trim trim('?S') length wordcount reverse list first last string int int(S) float
        replace(S,S) replace(S,S,I) center(J) indent indent(J) indent(J,true) indent(J,true,true) truncate(J)
        truncate(J,true) truncate(J,true,'') truncate(J,false,'..',0) wordwrap(K) wordwrap(K,false) urlencode
        striptags split split(S1) split(S1,I) join join(S) quote comment comment('c') b64encode b64decode hash('md5') md5
        sha1 checksum to_json from_json from_yaml bool basename dirname splitext regex_replace(R,S) regex_replace(R,'\\\\0')
        regex_search(R) regex_findall(R) regex_escape regex_replace('(.)(.)','\\\\2\\\\1') type_debug default(A) d(S,true)
        unique sort batch(K) batch(K,S) slice(K) ternary(A,A) to_uuid human_to_bytes pprint normpath path_join
        urlsplit urlsplit('path') win_basename win_dirname win_splitdrive format(A) format(A,A) urldecode
        to_nice_json to_yaml to_nice_yaml commonpath expanduser map('upper') select('in',S) min max sum random(seed=1)
        strftime(I) groupby(I) zip(S) dict2items filesizeformat round abs""",
    "I": """abs string float round round(J) round(-2) round(1,'floor') round(J,'ceil') filesizeformat filesizeformat(true)
        human_readable human_readable(true) human_readable(false,'K') int bool pow(J) log log(N) root root(J) to_json
        default(A) ternary(A,A) type_debug string|length d(A,true) from_json quote b64encode
        divisibleby sum max to_yaml upper length list urlencode center(J) format(A)""",
    "N": "abs string round round(J) round(J,'floor') int float to_json human_readable filesizeformat pow(J) root type_debug",
    "L": """length first last list reverse join join(S) sort sort(true) sort(reverse=true,case_sensitive=true) unique
        min max sum sum(start=I) random(seed=J) batch(K) batch(K,A) slice(K) slice(K,A) map('string') map('int')
        map('upper') map('default',A) map('length') map('type_debug') select select('string') select('number')
        select('defined') reject reject('none') select('gt',I) select('in',L) reject('equalto',A) flatten flatten(1)
        flatten(skip_nulls=false) union(L)|length intersect(L)|length difference(L)|length symmetric_difference(L)|map('string')|sort zip(L) zip_longest(L)
        zip_longest(L,fillvalue=A) product(L) permutations(2) combinations(2) to_json to_nice_json to_yaml
        to_nice_yaml string pprint path_join commonpath shuffle(seed=K) groupby(0) items2dict dict type_debug
        default(A) ternary(A,A) urlencode human_readable extract(L) map('extract',L) first|string
        subelements('a') contains max(attribute=0)
        unique(case_sensitive=true) map('bool') map('quote')|join(' ') min(case_sensitive=true) wordcount""",
    "D": """length list items dict2items dict2items(key_name='n',value_name='v') dictsort dictsort(true)
        dictsort(false,'value') dictsort(reverse=true) combine(D) combine(D,recursive=true)
        combine(D,list_merge='append') combine(D,D,recursive=true,list_merge='prepend_rp') to_json to_nice_json to_yaml
        to_nice_yaml string pprint first last sort urlencode join(',') map('upper') type_debug default(A) unique min max sum reverse flatten union(D)|length intersect(D)|map('string')|sort
        ternary(A,A) items2dict extract(D) select('match',R) to_json(indent=2) to_json(sort_keys=true)
        to_nice_json(indent=J) rekey_on_member('name')""",
    "P": """map(attribute='name') map(attribute='uid') map(attribute='admin',default=A) sum(attribute='uid')
        sort(attribute='name') sort(attribute='uid,name') sort(true,attribute='uid') groupby('uid') groupby('admin',default=A)
        selectattr('admin') selectattr('uid','gt',I) rejectattr('admin','defined') selectattr('name','in',L)
        items2dict(key_name='name',value_name='uid') unique(attribute='admin') max(attribute='uid') min(attribute='name') length first last to_json to_yaml
        to_nice_yaml map('combine',D) map('dict2items') join(',',attribute='name') rekey_on_member('name')
        subelements('groups',skip_missing=true) map(attribute='groups.0') map('items') zip(L) batch(2) type_debug""",
}
TESTS = """defined undefined none string number integer float boolean mapping sequence iterable callable true false odd even
    divisibleby(J) lower upper eq(A) ne(A) lt(A) gt(A) le(A) ge(A) in(L) sameas(A) truthy falsy truthy(convert_bool=true)
    match(R) search(R) regex(R) contains(A) subset(L) superset(L) all any version(V,'>') version(V,'eq',strict=true)
    version(V,'<=',version_type='semver') abs nan escaped url uri urn vault_encrypted""".split()
METHODS = {
    "S": """upper() lower() title() capitalize() swapcase() strip() strip(S) lstrip() rstrip(S) split() split(S1) split(S1,J)
        rsplit(S1,J) splitlines() splitlines(true) startswith(S) endswith(S) find(S) rfind(S) index(S) count(S) replace(S,S)
        replace(S,S,J) join(L) isdigit() isalpha() isalnum() isupper() islower() isspace() istitle() isnumeric() zfill(J)
        ljust(J) ljust(J,S1) rjust(J) center(J) partition(S1) rpartition(S1) encode() format(A) format(A,A) expandtabs()
        removeprefix(S) removesuffix(S) casefold() isidentifier() isdecimal() isascii() isprintable() translate({97:'x'})
        startswith((S,S)) count(S,J) find(S,J) find(S,J,J)""",
    "L": "copy()", "D": "get(S) get(S,A) keys() values() items() copy() pop(S,A) update(D)",
    "I": "bit_length() real", "N": "is_integer() real", "P": "copy()",
}
# Ready calls whose arguments make sense together: of texts that look like something (a date, an address, a version).
SPECIAL = [
    "T | to_datetime(Y)", "(T | to_datetime(Y)).strftime(Y)", "((T | to_datetime(Y)) - (T | to_datetime(Y))).total_seconds()",
    "((T | to_datetime(Y)) - (T | to_datetime(Y)))|string", "(T | to_datetime(Y)).isoformat()", "(T | to_datetime(Y)).year",
    "(T | to_datetime(Y)).weekday()", "(T | to_datetime(Y)).isocalendar()|list", "(T | to_datetime(Y)).replace(year=2001, day=2)|string",
    "(T | to_datetime(Y)) < (T | to_datetime(Y))", "Y | strftime(E)", "Y | strftime(E, utc=true)", "(T | to_datetime(Y)).date()|string",
    "(T | to_datetime(Y)).timestamp()", "((T | to_datetime(Y)) - (T | to_datetime(Y))).days",
    "Z | human_to_bytes", "Z | human_to_bytes(default_unit=U)", "Z | human_to_bytes(isbits=true)", "Z | human_to_bytes(U, true)",
    "E | human_readable(unit=U)", "E | human_readable(true, U)", "E | filesizeformat(true)",
    "W is version(W, C)", "W is version(W, C, strict=B)", "W is version(W, C, version_type=X)", "[W, W, W] | sort",
    "M | ansible.utils.ipaddr", "M | ansible.utils.ipaddr(Q)", "[M, M, W] | ansible.utils.ipaddr(Q)", "M | ansible.utils.ipv4(Q)",
    "M | ansible.utils.ipv6(Q)", "M | ansible.utils.ipsubnet(J)", "M | ansible.utils.ipsubnet(J, J)", "M | ansible.utils.ipsubnet(M)",
    "M | ansible.utils.nthhost(J)", "M | ansible.utils.ipwrap", "M | ansible.utils.ipwrap(Q)", "M | ansible.utils.ipmath(J)",
    "M | ansible.utils.ipmath(-J)", "M | ansible.utils.network_in_network(M)", "M | ansible.utils.network_in_usable(M)",
    "M | ansible.utils.next_nth_usable(J)", "M | ansible.utils.previous_nth_usable(J)", "M | ansible.utils.reduce_on_network(M)",
    "[M, M, M] | ansible.utils.cidr_merge", "[M, M] | ansible.utils.cidr_merge('span')", "M | ansible.utils.hwaddr(H)",
    "M | ansible.utils.macaddr(H)", "M is ansible.utils.ip", "M is ansible.utils.ipv4_address",
    "M is ansible.utils.private", "M is ansible.utils.subnet_of(M)", "M is ansible.utils.in_network(M)", "M is ansible.utils.cidr",
    "data | community.general.json_query(O)", "users | community.general.json_query(O)", "user | community.general.json_query(O)", "data | community.general.json_query(O) | to_json",
    "K1 | urlsplit", "K1 | urlsplit(K2)", "K1 | urlencode", "K1 | urldecode", "K1 | basename", "K1 is url", "K1 is uri(['http', 'ftp'])",
    "data | combine(D2, recursive=B, list_merge=G)", "D2 | combine(D2, recursive=B, list_merge=G)", "[D2, D2] | combine(D2, recursive=true)",
    "data.rows | subelements('tags', skip_missing=B)", "data.rows | subelements('more.deep', {'skip_missing': B})",
    "data.rows | subelements('tags') | map('last') | list", "data.rows | groupby('n')", "data.rows | groupby('n') | map(attribute=A2)",
    "data.rows | selectattr('n', 'in', [1, 2]) | map(attribute='tags') | flatten", "data.rows | sum(attribute='n')",
    "data.rows | map('extract', ['n', 'tags'])", "['n', 'tags'] | map('extract', data.rows[0])", "data.rows | dict2items",
    "data.rows | items2dict(key_name='n', value_name='tags')", "data.rows | rekey_on_member('n', duplicates='overwrite')",
    "data.rows | sort(attribute='n', reverse=B) | map(attribute='n')", "data | dictsort(by='value')", "data | to_nice_yaml(indent=K)",
    "data | to_yaml(width=J)", "data | to_json(separators=(',', ':'))", "data | to_json(ensure_ascii=B)", "data | to_nice_json(indent=K, sort_keys=B)",
    "[1, 2, 3] | product(['a', 'b'])", "[1, 2] | product(['a'], [3, 4])", "[0, 1] | product(repeat=3)", "words | permutations(K)", "words | combinations(K)",
    "words | zip(ports, lines)", "words | zip_longest(ports, fillvalue='-')", "words | batch(K, 'x')", "ports | slice(K, 0)",
    "S | password_hash('sha512', F, rounds=5000)", "S | password_hash('sha256', F, rounds=1000)", "S | password_hash('md5', F)",
    "S | hash(N1)", "S | to_uuid", "S | to_uuid(namespace='6ba7b810-9dad-11d1-80b4-00c04fd430c8')",
    "S | regex_replace(R2, V2)", "S | regex_replace(R2, V2, ignorecase=B, multiline=B)", "S | regex_replace(R2, V2, count=J)", "S | regex_search(R2)",
    "S | regex_search(R2, '\\\\1')", "S | regex_findall(R2)", "S | regex_findall(R2, multiline=B, ignorecase=B)", "S is match(R2)", "S is search(R2)",
    "S is regex(R2, match_type='fullmatch')", "text | regex_findall(R2)", "text | regex_replace(R2, V2, multiline=true)", "S.split(S1) | map('trim') | list",
    "L1.format(E, S)", "L1.format(S, E)", "'%' ~ L2 ~ '' | format(E)", "(L2 % (E,))", "(L2 % (S,))", "S | b64encode(encoding=I1)", "S | b64encode(I1) | b64decode(I1)",
    "S | comment(T1)", "S | comment(T1, prefix='-', postfix_count=J)", "S | wordwrap(K, B, S)", "S | truncate(J, B, S, J)", "S | center(J) | length", "S | urlize(J)",
    "S | indent(K, first=B, blank=B)", "S | splitext", "S | relpath('/a/b')", "S | win_splitdrive", "S | quote", "S | title", "S | tojson", "data | tojson(J)", "data | xmlattr",
]
PARTS = {
    "T": ["'2024-02-29 23:59:59'", "'1999-12-31 00:00:00'", "'2024-01-05'", "'05/Mar/2021:10:00:00 +0200'", "'12:30'", "'Mon Jan  1 2001'", "'2024-060'",
          "'2024-01-05T10:11:12.123456Z'", "''", "'2024-W10-1'"],
    "Y": ["'%Y-%m-%d %H:%M:%S'", "'%Y-%m-%d'", "'%d/%b/%Y:%H:%M:%S %z'", "'%H:%M'", "'%a %b %d %Y'", "'%Y-%j'", "'%Y-%m-%dT%H:%M:%S.%fZ'", "'%G-W%V-%u'",
          "'%s %%'", "'%c|%x|%X|%p|%y|%U|%W|%w|%e|%F|%T|%R|%D|%C|%h|%n|%t|%Z'", "'%-d %-m %_d %^a %Q'", "''"],
    "E": ["0", "1", "-1", "1.5", "1024", "1700000000", "1700000000.5", "-86400", "0.1", "1e15", "123456789", "'12'", "count", "ratio", "99999999999"],
    "Z": ["'10'", "'1K'", "'2.5MB'", "'3 GiB'", "'1b'", "'7Kb'", "'-1M'", "'1 Yottabyte'", "'8 kilobits'", "''", "'K'", "1024", "'1e3'", "'5 X'", "'1,5M'", "'10 B'"],
    "U": ["'B'", "'K'", "'M'", "'b'", "'G'", "none", "'KB'", "'Kb'"],
    "W": ["'1.2.3'", "'1.10'", "'2.0.0-rc1'", "'1.2'", "'1.2.3+build.5'", "'v1.2'", "'1.2a1'", "'1.2.post1'", "'1!2.0'", "''", "'1.0.dev3'", "'1..2'", "'abc'", "'2024.01'", "1.5", "'1.2.3-alpha.1'"],
    "C": ["'>'", "'<='", "'eq'", "'ne'", "'lt'", "'ge'", "'=='", "'!='", "'~'"],
    "X": ["'loose'", "'strict'", "'semver'", "'pep440'", "'semantic'", "'x'"],
    "B": ["true", "false"],
    "M": ["'192.168.1.5/24'", "'10.0.0.0/8'", "'10.1.2.3'", "'2001:db8::1/64'", "'fe80::1'", "'::ffff:1.2.3.4'", "'1.2.3.4/255.255.255.0'", "'127.0.0.1'", "'192.168.1.255/24'",
          "'0.0.0.0/0'", "'abc'", "''", "'00:11:22:aa:bb:cc'", "'172.16.5.0/30'", "'224.0.0.1'", "'10.0.0.1/32'", "'2001:db8::/32'", "3232235777", "'192.168.1.0/31'", "'::'", "true", "'1.2.3'", "'00-11-22-AA-BB-CC'"],
    "Q": ["'address'", "'net'", "'network'", "'prefix'", "'netmask'", "'broadcast'", "'size'", "'host'", "'hostmask'", "'private'", "'public'", "'revdns'", "'int'", "'type'", "'version'",
          "'wrap'", "'first_usable'", "'last_usable'", "'range_usable'", "'next_usable'", "'previous_usable'", "'peer'", "'subnet'", "'loopback'", "'multicast'", "'unicast'", "'link-local'",
          "'ipv4'", "'ipv6'", "'6to4'", "'host/prefix'", "'ip/prefix'", "'address/prefix'", "'network/prefix'", "'network_id'", "'network_netmask'", "'network_wildcard'", "'ip_netmask'", "'ip_wildcard'",
          "'size_usable'", "'bool'", "'cidr'", "1", "-1", "'10.0.0.0/8'", "'192.168.1.0/24'", "'gateway'", "'lo'", "'wildcard'", "'net/prefix'", "300", "'x'", "'positive'", "'v4'", "''"],
    "H": ["'bare'", "'bool'", "'cisco'", "'cols'", "'linux'", "'unix'", "'win'", "'pgsql'", "'eui48'", "'int'", "''", "'x'"],
    "O": ["'rows'", "'rows[*].n'", "'rows[?n > `1`].tags'", "'rows[].tags[]'", "'rows[0]'", "'rows[-1].n'", "'rows[1:]'", "'rows[::-1].n'", "'length(rows)'", "'keys(@)'", "'rows[?contains(tags, `a`)]'",
          "'rows[?n == `1`] | [0]'", "'sort_by(rows, &n)[].n'", "'max_by(rows, &n)'", "'{a: rows[0].n, b: name}'", "'[name, rows[0].n]'", "'rows[*].[n, tags[0]]'", "'*.name'", "'@'", "'name || `x`'",
          "'join(`,`, rows[0].tags)'", "'to_string(rows)'", "'rows[?starts_with(name, `r`)].name'", "'sum(rows[].n)'", "'avg(rows[].n)'", "'type(rows)'", "'not_null(zz, name)'", "'reverse(rows)'", "'merge(@, {z: `1`})'",
          "'map(&n, rows)'", "'values(map)'", "'rows[?n>=`2` && !more]'", "'rows[?more.deep]'", "'[?admin].name'", "'[].name'", "'\"map\".k'", "'rows[*].n | sum(@)'", "'zz.yy'", "'rows[?(n==`1` || n==`2`)].n'", "'bad['", "'to_number(`\"5\"`)'",
          "'ceil(`1.2`)'", "'abs(`-1`)'", "'ends_with(name, `e`)'", "'min(rows[].n)'", "'flat[]'", "'flat[][]'", "'nope(@)'", "'rows[*].tags | [0]'", "'name[0]'", "''"],
    "K1": ["'https://user:pa%20ss@example.com:8443/a/b.c;p?q=1&r=%C3%A9#frag'", "'http://[::1]:80/x'", "'ftp://h'", "'mailto:a@b.c'", "'//h/p'", "'/only/path?x'", "'?q'", "'http://h:port/'", "'a b&c=d/é'", "'HTTP://EXAMPLE.com:/'",
           "'http://h/\\n\\tx'", "'  http://x'", "'file:///etc/x'", "'x:y:z'", "''", "'git+ssh://git@h/r.git'", "'%41%zz+b'"],
    "K2": ["'scheme'", "'netloc'", "'hostname'", "'port'", "'path'", "'query'", "'fragment'", "'username'", "'password'", "'x'"],
    "D2": ["{'name': 'n', 'map': {'k': {'q': 9}, 'z': none}}", "{'flat': [4, 1], 'rows': []}", "{}", "{'map': 1}", "{'a': {'b': [1]}}", "{'a': {'b': [1, 2], 'c': 3}}", "{'a': none}", "user"],
    "G": ["'replace'", "'keep'", "'append'", "'prepend'", "'append_rp'", "'prepend_rp'"],
    "A2": ["'grouper'", "'list'", "0", "1", "'1.0.n'"],
    "F": ["'saltsalt'", "'ab'", "'./aZ09'", "'abcdefghijklmnop'", "'with blank'"],
    "N1": ["'md5'", "'sha1'", "'sha224'", "'sha256'", "'sha384'", "'sha512'", "'sha3_224'", "'sha3_256'", "'sha3_384'", "'sha3_512'", "'blake2b'", "'blake2s'", "'sha512_256'", "'sha512_224'", "'ripemd160'", "'SHA256'", "'crc32'", "'shake_128'"],
    "R2": ["'(a|b)+'", "'(\\\\w+) (\\\\w+)'", "'(?<=a)b'", "'(?!x)[a-z]'", "'(?P<n>.)(?P=n)'", "'^(.*?),'", "'[^\\\\w\\\\s]+'", "'\\\\bfoo\\\\b'", "'(?i)hello'", "'(?x) a  b # c'", "'(?s).+'", "'(?m)^.'", "'\\\\d{1,3}'", "'a{,2}'",
           "'(x)?(y)?z*'", "'[]a]'", "'[a-]'", "'\\\\Z'", "'\\\\A'", "'(?:ab|c)*?'", "'.*'", "''", "'('", "'[z-a]'", "'*a'", "'(?P<bad'", "'\\\\x41|\\\\u00fc'", "'\\\\.'", "'(a)(?(1)b|c)'", "'\\\\S+$'", "'[\\\\d.]+'", "'(?a)\\\\w+'", "'\\\\p{L}'", "'a++'", "'(?>a)'", "'(?#c)a'", "'\\\\1(a)'"],
    "V2": ["''", "'-'", "'\\\\1'", "'\\\\2\\\\1'", "'\\\\g<0>'", "'\\\\g<1>x'", "'[\\\\0]'", "'$1'", "'\\\\n'", "'\\\\\\\\'", "'\\\\g<n>'", "'\\\\q'", "'é'", "'&'"],
    "L1": ["'{:>10}'", "'{0!r:^12}'", "'{1}{0}'", "'{:+.3e}'", "'{:#x}'", "'{:08.3f}'", "'{:,.2f}'", "'{:_d}'", "'{:<5}{:>5}'", "'{0:{1}}'", "'{:%}'", "'{:c}'", "'{:b}'", "'{!a}'", "'{:.3}'", "'{:*<8}'", "'{:=8}'", "'{:n}'", "'{:s}'", "'{0.real}'", "'{x}'", "'{'", "'}'", "'{:x<+8.2f}'", "'{:G}'", "'{: d}'", "'{:#o}'", "'{:010_b}'", "'{:z.1f}'"],
    "L2": ["'%5.2f'", "'%-8s|'", "'%08.3e'", "'%+d'", "'%x'", "'%#o'", "'%c'", "'%r'", "'%a'", "'%g'", "'%.0f'", "'%5%'", "'%.3s'", "'%i'", "'%u'", "'%ld'", "'%y'", "'%'", "'% 5d'", "'%#.3g'", "'%-05d'", "'%.10d'", "'%G'"],
    "I1": ["'utf-8'", "'utf-16-le'", "'latin-1'", "'ascii'", "'utf-32'", "'cp1252'", "'nope'", "'utf_16'"],
    "T1": ["'plain'", "'c'", "'cblock'", "'xml'", "'erlang'", "'x'"],
}
FORMATS = ["%s", "%d", "%5d", "%-5s|", "%05.1f", "%x", "%#X", "%o", "%e", "%g", "%+d", "%c", "%r", "%%", "%.3s", "% d", "%i", "%10.4f",
           "%(a)s", "%*d", "%E", "%G", "%a"]
BRACES = ["{}", "{:>5}", "{:<5}|", "{:^7}", "{:05d}", "{:.2f}", "{:x}", "{:#b}", "{:,}", "{:e}", "{!r}", "{0}{0}", "{:+}", "{:%}",
          "{:*^9}", "{:s}", "{:g}", "{:_}", "{:c}", "{:n}", "{0[0]}", "{:10.3}", "{:=+6d}", "{{}}"]


class Grammar:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, options):
        return self.random.choice(options)

    def quoted(self, text):
        return '"' + text + '"'

    def literal(self, kind, depth):
        pick = self.pick
        if kind == "S":
            return pick([self.quoted(pick(STRINGS))] * 3 + ["name", "text", "path", "empty", "accents", "user.name", "words[1]"])
        if kind == "I":
            return pick([pick(INTS)] * 3 + ["count", "big", "ports[0]", "user.uid", "nested"])
        if kind == "N":
            return pick([pick(FLOATS)] * 2 + ["ratio"] + [pick(INTS)])
        if kind == "L":
            items = [self.expression(pick("SINA"), depth - 2) for _ in range(self.random.randint(0, 4))]
            return pick([f"[{', '.join(items)}]"] * 2 + ["ports", "words", "mixed", "lines", "range(5)|list", "range(7, 0, -2)|list",
                        f"({', '.join(items)},)" if items else "()"])
        if kind == "D":
            pairs = [f"{self.quoted(pick(['a', 'b', 'c', 'name', 'x y']))}: {self.expression(pick('SINLA'), depth - 2)}"
                     for _ in range(self.random.randint(0, 3))]
            return pick([f"{{{', '.join(pairs)}}}"] * 2 + ["user", "dict(a=1, b='x')", "users[0]"])
        if kind == "P":
            return pick(["users", "users[:2]", "[{'name': 'z', 'uid': 3, 'groups': ['g']}, {'name': 'y', 'uid': 3}]"])
        return pick([self.literal(pick("SINLDP"), depth), "none", "true", "false", "nothing", "yes", "mixed[2]"])

    def argument(self, code, depth):
        pick = self.pick
        simple = {"J": lambda: str(self.random.randint(0, 12)), "K": lambda: str(self.random.randint(1, 6)),
                  "R": lambda: self.quoted(pick(PATTERNS)), "V": lambda: pick(["'1.2.3'", "'1.10'", "'2.0.0-rc1'", "'1.2'"]),
                  "S1": lambda: pick(["','", "' '", "'X'", "'='", "none", "'b'"])}
        return simple[code]() if code in simple else self.expression(code, min(depth, 1))

    def arguments(self, template, depth):
        """`name(S,I)` with expressions in the places of the codes; quoted parts and names stay."""
        def fill(match):
            return match.group(0) if match.group(1) is None else self.argument(match.group(1), depth)
        head, bracket, rest = template.partition("(")
        return head + bracket + re.sub(r"'[^']*'|(?<![\w'.&@])(S1|[SINLDPAJKRV])(?![\w'])", fill, rest)

    def special(self):
        """One of the ready calls, with its parts filled in."""
        def fill(match):
            code = match.group(1)
            if code is None:
                return match.group(0)
            return self.pick(PARTS[code]) if code in PARTS else self.argument(code, 0)
        codes = "|".join(sorted([*PARTS, "S1", "S", "D", "J", "K", "R"], key=len, reverse=True))
        return re.sub(r"'[^']*'|(?<![\w'.&@])(" + codes + r")(?![\w'])", fill, self.pick(SPECIAL))

    def expression(self, kind, depth):
        pick = self.pick
        if kind == "A" and depth > 1 and self.random.random() < 0.4:
            return self.special()
        if depth <= 0:
            return self.literal(kind, 0)
        roll = self.random.random()
        if kind == "A" or roll < 0.08:
            kind = pick("SSIINLLDP")
        if roll < 0.22:
            return self.literal(kind, depth)
        if roll < 0.62:
            table = FILTERS[kind].split()
            inner = self.expression(kind, depth - 1)
            return f"({inner}) | {self.arguments(pick(table), depth - 1)}"
        if roll < 0.74:
            return f"({self.expression(kind, depth - 1)}).{self.arguments(pick(METHODS[kind].split()), depth - 1)}"
        if roll < 0.80:
            return f"({self.expression(kind, depth - 1)}) {pick(['is', 'is', 'is not'])} {self.arguments(pick(TESTS), depth - 1)}"
        if roll < 0.86:
            bound = lambda: pick(["", "", "1", "-1", "2", "-3", "0", "10"])  # noqa: E731
            return f"({self.expression(pick([kind, 'L', 'S']), depth - 1)})[{bound()}:{bound()}{pick(['', '', ':-1', ':2'])}]"
        if roll < 0.89:
            form = self.quoted(pick(FORMATS) + pick(["", "", " " + pick(FORMATS)]))
            return f"({form} % ({self.expression(pick('SINA'), depth - 1)},))" if pick([1, 0]) else \
                f"({self.quoted(pick(BRACES))}).format({self.expression(pick('SINAL'), depth - 1)})"
        if roll < 0.93:
            sign = pick(["==", "!=", "<", ">", "<=", ">=", "in", "not in", "and", "or"])
            other = pick([kind, kind, "A"])
            return f"({self.expression(kind, depth - 1)}) {sign} ({self.expression(other, depth - 1)})"
        if roll < 0.95:
            return f"({self.expression(kind, depth - 1)}) if ({self.expression('A', depth - 1)}) else ({self.expression('A', depth - 1)})"
        sign = pick(["+", "-", "*", "/", "//", "%", "~", "**"])
        if sign == "**":
            # Larger exponents would keep Python busy for hours.
            return f"({self.expression(pick('IN'), 0)}) ** ({pick(['0', '1', '2', '3', '10', '64', '-1', '-2', '0.5', '2.5'])})"
        if sign == "*":
            # A list a million times over says nothing more than one three times over.
            return f"({self.expression(kind, depth - 1)}) * ({self.random.randint(-2, 12)})"
        left, right = self.expression(pick(["I", "N", kind]), depth - 1), self.expression(pick(["I", "N", kind]), depth - 1)
        return f"({left}) {sign} ({right})"


def parts(text):
    """What is in brackets in the expression: candidates for a smaller case."""
    found, stack, quote, at = set(), [], None, 0
    while at < len(text):
        letter = text[at]
        if quote:
            if letter == "\\":
                at += 1
            elif letter == quote:
                quote = None
        elif letter in "\"'":
            quote = letter
        elif letter in "([{":
            stack.append(at)
        elif letter in ")]}" and stack:
            start = stack.pop()
            if letter == ")":
                found.add(text[start + 1:at])
                found.add(text[start:at + 1])
            # The head of a chain: everything up to here.
            found.add(text[:at + 1])
        at += 1
    return [part for part in found if part.strip() and part != text]


def differing(expressions):
    cases = [{"kind": ">", "text": "{{ " + text + " }}", "variables": VARIABLES} for text in expressions]
    return [(text, want, have) for text, want, have in zip(expressions, exchange.expected(cases), exchange.gantry(cases))
            if not exchange.same(want, have)]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=4000)
    options.add_argument("--seconds", type=float, default=300)
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--depth", type=int, default=2)
    given = options.parse_args()
    seed = given.seed if given.seed is not None else random.randrange(10 ** 6)
    grammar, end = Grammar(seed), time.monotonic() + given.seconds
    made, found, shown = 0, 0, set()
    while made < given.count and time.monotonic() < end:
        size = min(500, given.count - made)
        wrong = differing([grammar.expression("A", given.depth) for _ in range(size)])
        made, found = made + size, found + len(wrong)
        smaller = {text: parts(text) for text, _, _ in wrong}
        small = {text: (text, want, have) for text, want, have in
                 differing(sorted({part for list_ in smaller.values() for part in list_}))}
        for row in wrong:
            least = min([small[part] for part in smaller[row[0]] if part in small] + [row], key=lambda each: len(each[0]))
            if least[0] not in shown:
                shown.add(least[0])
                print(f"{least[0]}\n  ansible {json.dumps(least[1])[:400]}\n  gantry  {json.dumps(least[2])[:400]}", flush=True)
    print(f"seed {seed}: {made} expressions, {found} differ, {len(shown)} smallest")
    sys.exit(1 if found else 0)


main()
