#!/usr/bin/env python3
"""Runs what Jinja2's own tests render through ansible-core's template engine and through Gantry's, and compares.

jinja.py FOLDER [--list]: FOLDER is the unpacked source distribution of Jinja2. Run by `make oracle-templates`, with the
Python that has ansible-core and pytest. Ends with 1 where less than 99 of 100 cases are equal.
"""
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import exchange

HERE = pathlib.Path(__file__).resolve().parent


def recorded(folder):
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch, "cases")
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "recorder", "--noconftest", "-p", "no:cacheprovider",
             "-p", "conftest", "--ignore=test_async.py", "--ignore=test_async_filters.py", "."],
            cwd=pathlib.Path(folder, "tests"), check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=dict(os.environ, RECORD=str(out), PYTHONPATH=f"{HERE}:."))
        return [json.loads(line) for line in out.read_text().split("\n") if line]


def left_out():
    """Case texts that are not compared, with the reason: lines of `TEST | REASON` in left-out.txt."""
    rows = {}
    for line in (HERE / "left-out.txt").read_text().split("\n"):
        if line and not line.startswith("#"):
            test, reason = line.split(" | ", 1)
            rows[test] = reason
    return rows


def main():
    rows, seen = [], set()
    for row in recorded(sys.argv[1]):
        key = json.dumps([row["text"], row.get("variables"), row["options"], row["files"], row["reasons"]], sort_keys=True)
        if key not in seen:
            seen.add(key)
            rows.append(row)
    reasons, cases = collections.Counter(), []
    known = left_out()
    for row in rows:
        name = row["test"].split("[")[0]
        if row["reasons"]:
            reasons[row["reasons"][0]] += 1
        elif name in known:
            reasons[known[name]] += 1
        else:
            if row["native"]:
                row["kind"] = ">"
            cases.append(row)
    wanted, got = exchange.expected(cases), exchange.gantry(cases)
    different = [(case, want, have) for case, want, have in zip(cases, wanted, got) if not exchange.same(want, have)]
    for case, want, have in different:
        print(f"{case['test']}\n  {case['text']!r}\n  {json.dumps(case['variables'])} {json.dumps(case['options'])}")
        print(f"  ansible {json.dumps(want)}\n  gantry  {json.dumps(have)}")
    print(f"{len(rows)} different renderings in Jinja2's tests; {len(cases)} concern the language as Ansible has it")
    for reason, count in reasons.most_common():
        print(f"  left out {count:4}: {reason}")
    equal = len(cases) - len(different)
    print(f"equal: {equal} of {len(cases)} ({100 * equal / max(1, len(cases)):.1f} %)")
    sys.exit(0 if cases and equal * 100 >= len(cases) * 99 else 1)


main()
