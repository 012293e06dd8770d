#!/usr/bin/env python3
"""Writes the expectations of Cases/*.case from ansible-core's own template engine.

Run by hand, with a Python that has ansible-core 2.19: regenerate.py [FILE…]. A case file holds lines:

    # comment
    @ {"name": "value"}          variables of the cases that follow; their texts are templates
    % {"part.j2": "text"}        files that include, import and extend find
    > {{ name }}                 a template (several such lines are one text): its native result
    ? name == 'value'            a condition: true or false
    | line                       lines of a template file: the text it gives
    = "JSON"                     the expectation, or: error

A directory's worth of cases that ansible-core cannot judge (texts of our errors) are in Cases/errors and not touched here.
"""
import json
import os
import pathlib
import sys
import tempfile

os.environ.update(
    ANSIBLE_ALLOW_BROKEN_CONDITIONALS="1", ANSIBLE_DEPRECATION_WARNINGS="0", ANSIBLE_DEVEL_WARNING="0",
    ANSIBLE_LOCALHOST_WARNING="0", TZ="UTC",
    ANSIBLE_JINJA2_EXTENSIONS="jinja2.ext.do,jinja2.ext.loopcontrols",
)

from ansible.parsing.dataloader import DataLoader  # noqa: E402
from ansible.plugins.loader import init_plugin_loader  # noqa: E402
from ansible.template import Templar, trust_as_template  # noqa: E402

init_plugin_loader([])


def trusted(value):
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, list):
        return [trusted(item) for item in value]
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    return value


def plain(value):
    if isinstance(value, dict):
        return {str(key) if not isinstance(key, (str, int, float, bool)) else key: plain(item)
                for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def outcome(kind, text, variables, files):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            pathlib.Path(folder, name).write_text(content)
        loader = DataLoader()
        loader.set_basedir(folder)
        templar = Templar(loader=loader, variables=trusted(variables))
        try:
            if kind == "?":
                result = templar.evaluate_conditional(trust_as_template(text))
            elif kind == "|":
                result = templar.template(trust_as_template(text), escape_backslashes=False)
                result = "" if result is None else str(result)
            else:
                result = templar.template(trust_as_template(text))
            return json.dumps(plain(result), ensure_ascii=False)
        except Exception as error:  # noqa: BLE001
            if os.environ.get("SHOW_ERRORS"):
                print(f"{text!r}: {type(error).__name__}: {error}", file=sys.stderr)
            return "error"


def regenerate(path):
    out, variables, files, kind, text = [], {}, {}, None, []

    def finish():
        nonlocal kind, text
        if kind:
            body = "\n".join(text) + ("\n" if kind == "|" else "")
            out.append("= " + outcome(kind, body, variables, files))
        kind, text = None, []

    for line in path.read_text().split("\n"):
        mark = line[:1]
        if mark == "=":
            finish()
            continue
        if kind and mark != kind:
            finish()
        if mark == "@":
            variables = json.loads(line[2:])
        elif mark == "%":
            files = json.loads(line[2:])
        elif mark in (">", "?", "|") and mark:
            if kind and mark == "?":
                finish()
            kind = mark
            text.append(line[2:])
        out.append(line)
    finish()
    while out and not out[-1]:
        out.pop()
    path.write_text("\n".join(out) + "\n")


def main():
    here = pathlib.Path(__file__).parent / "Cases"
    for path in [pathlib.Path(name) for name in sys.argv[1:]] or sorted(here.glob("*.case")):
        regenerate(path)


main()
