"""Writes a playbook that runs the cases with Ansible, and compares what came of it with what the cases expect."""
import json
import os
import sys

import yaml


def cases(files):
    for path in files:
        module = os.path.basename(path)[:-4]
        for number, case in enumerate(yaml.safe_load_all(open(path))):
            if case:
                case.setdefault("module", module)
                case["label"] = f"{module}: {case.get('case', number)}"
                yield case


def setup(case):
    """Shell lines that make the case's files."""
    lines = ["rm -rf /srv/t", "mkdir -p /srv"]
    machine = case.get("machine") or {}
    for user in machine.get("users", []):
        name = user["name"] if isinstance(user, dict) else user
        lines.append(f"id {name} >/dev/null 2>&1 || useradd -u {user['id']} {name}")
    if not machine.get("users"):
        lines.append("userdel www 2>/dev/null || true")
    files = machine.get("files", {})
    for path, file in sorted(files.items(), key=lambda entry: "hard" in (entry[1] or {})):
        file = {"content": file} if isinstance(file, str) else file
        lines.append(f"mkdir -p {os.path.dirname(path)}")
        if "link" in file:
            lines.append(f"ln -s {file['link']} {path}")
        elif "hard" in file:
            lines.append(f"ln {file['hard']} {path}")
        elif file.get("folder"):
            lines.append(f"mkdir -p {path}; chmod 0755 {path}")
        else:
            text = file.get("content", "").encode().hex()
            octal = "".join(f"\\{int(text[i:i + 2], 16):03o}" for i in range(0, len(text), 2))
            lines.append(f"printf '{octal}' > {path}; chmod 0644 {path}")
        if "owner" in file:
            lines.append(f"chown -h {file['owner']}:{file.get('group', 'root')} {path}")
        if "mode" in file:
            lines.append(f"chmod {file['mode']} {path}")
        if "modified" in file:
            lines.append(f"touch -d @{file['modified']} {path}")
    for rule in machine.get("commands", []):
        program = rule["run"].split()[0]
        text = rule.get("errors", "").strip()
        lines.append(f"printf '#!/bin/sh\\necho {text} >&2; exit {rule.get('status', 0)}' > {program}; chmod 755 {program}")
    return "\n".join(lines)


LOOK = r"""cd / && find /srv/t | sort | while read -r p; do
printf '%s\t%s\t%s\t%s\t%s\t%s\t' "$p" "$(stat -c %F "$p" | tr ' ' _)" "$(stat -c %a "$p")" "$(stat -c %U "$p")" "$(stat -c %G "$p")" "$(readlink "$p")"
if [ -f "$p" ] && [ ! -L "$p" ]; then od -An -v -tx1 "$p" | tr -d ' \n'; fi; echo; done"""


def put_controller(work, case):
    for kind in ("files", "templates"):
        for name, file in ((case.get("controller") or {}).get(kind) or {}).items():
            put(os.path.join(work, kind, name), file, kind == "templates")


def put(path, file, raw=False):
    file = {"content": file} if isinstance(file, str) else file
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if "children" in file:
        os.makedirs(path, exist_ok=True)
        for name, child in file["children"].items():
            put(os.path.join(path, name), child)
    elif file.get("folder"):
        os.makedirs(path, exist_ok=True)
    elif "target" in file:
        if not os.path.lexists(path):
            os.symlink(file["target"], path)
    else:
        with open(path, "w", newline="") as out:
            out.write(file.get("content", ""))
        os.chmod(path, int(file.get("mode", "0644"), 8))


def write(work, files):
    tasks = []
    for number, case in enumerate(cases(files)):
        folder = os.path.join(work, str(number))
        put_controller(folder, case)
        args = dict(case.get("args") or {})
        if case["module"] in ("copy", "template") and "src" in args and not args.get("remote_src"):
            args["src"] = os.path.join(folder, "templates" if case["module"] == "template" else "files", args["src"])
        call = {f"ansible.builtin.{case['module']}": args, "ignore_errors": True, "diff": True}
        shell = {"ansible.builtin.shell": setup(case)}
        tasks += [
            shell, dict(call, check_mode=True, register="checked"),
            dict(call, register="applied"), {"ansible.builtin.shell": LOOK, "register": "after", "ignore_errors": True},
            dict(call, register="again"),
            {"ansible.builtin.copy": {
                "dest": os.path.join(work, f"{number}.json"),
                "content": "{{ {'check': checked, 'apply': applied, 'again': again, 'after': after.stdout_lines} | to_json }}"},
             "delegate_to": "localhost"},
        ]
        with open(os.path.join(work, f"{number}.case"), "w") as out:
            json.dump(case, out)
    with open(os.path.join(work, "play.yml"), "w") as out:
        yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}], out, sort_keys=False)


def same(left, right):
    if isinstance(left, dict) and isinstance(right, dict) and right:
        return all(key in left and same(left[key], value) for key, value in right.items())
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def diffs(result):
    """The diff as texts, as the callback would print it; entries without changes left out."""
    found = result.get("diff") or []
    out = []
    for entry in found if isinstance(found, list) else [found]:
        texts = {}
        notes = ""
        for side, what in (("dst", "destination"), ("src", "source")):
            if entry.get(side + "_binary"):
                notes += f"diff skipped: {what} file appears to be binary\n"
        for side in ("before", "after"):
            value = entry.get(side, "")
            texts[side] = value if isinstance(value, str) else json.dumps(value, sort_keys=True, indent=4) + "\n"
            if entry.get(side + "_header"):
                texts[side + "_header"] = entry[side + "_header"]
        if notes:
            texts = {"before": "", "after": "", "prepared": notes}
        if notes or texts["before"] != texts["after"]:
            out.append(texts)
    return out


def compare(work):
    total = wrong = 0
    number = 0
    while os.path.exists(os.path.join(work, f"{number}.case")):
        case = json.load(open(os.path.join(work, f"{number}.case")))
        found = json.load(open(os.path.join(work, f"{number}.json")))
        number += 1
        total += 1
        problems = list(differences(case, found))
        if problems:
            wrong += 1
            print(case["label"])
            for problem in problems:
                print("    " + problem)
    print(f"{total - wrong} of {total} cases agree with Ansible")


def differences(case, found):
    expect = case.get("expect") or {}
    applied = found["apply"]
    if expect.get("failed") is not None or applied.get("failed"):
        if bool(expect.get("failed")) != bool(applied.get("failed")):
            yield f"failed: Ansible says {applied.get('failed')}: {applied.get('msg')}"
        elif applied.get("msg") != expect["failed"]:
            yield f"message: Ansible says {applied.get('msg')!r}, here {expect['failed']!r}"
    elif bool(applied.get("changed")) != expect.get("changed", True):
        yield f"changed: Ansible says {applied.get('changed')}"
    if not expect.get("failed") and found["again"].get("changed") and not expect.get("repeats"):
        yield "Ansible changes again in its second run"
    for key, value in (expect.get("result") or {}).items():
        if not same(applied.get(key), value):
            yield f"result {key}: Ansible has {applied.get(key)!r}, here {value!r}"
    if "diff" in expect and expect.get("changed", True):
        for mode in ("check", "apply"):
            if not same(diffs(found[mode]), expect["diff"]):
                yield f"diff ({mode}): Ansible has {diffs(found[mode])}"
    state = {}
    for line in found["after"]:
        fields = line.split("\t")
        state[fields[0]] = fields[1:]
    for path, file in (expect.get("files") or {}).items():
        yield from file_differences(path, file, state.get(path))


def file_differences(path, file, now):
    if file is None or now is None:
        if (file is None) != (now is None):
            yield f"{path}: {'there' if now else 'not there'} with Ansible"
        return
    file = {"content": file} if isinstance(file, str) else file
    kind, mode, owner, group, link, content = now
    if "content" in file and bytes.fromhex(content) != file["content"].encode():
        yield f"{path}: Ansible leaves {bytes.fromhex(content)!r}"
    if file.get("folder") and kind != "directory":
        yield f"{path}: is a {kind} with Ansible"
    if "link" in file and file["link"] != link:
        yield f"{path}: points to {link!r} with Ansible"
    if "mode" in file and int(mode, 8) != int(file["mode"], 8):
        yield f"{path}: has mode {mode} with Ansible"
    for name, value in (("owner", owner), ("group", group)):
        if name in file and file[name] != value:
            yield f"{path}: {name} is {value} with Ansible"


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2], sys.argv[3:])
    else:
        compare(sys.argv[2])
