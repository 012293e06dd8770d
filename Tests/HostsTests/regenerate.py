"""Writes what ansible-core makes of each folder in Cases: list.json, export.yml, graph.txt and hosts.txt.

Run by hand, with the Python that has ansible-core 2.19; review the difference. A folder holds `sources` (the arguments
of -i, one a line) and may hold `patterns` (a pattern, then a limit behind a tab), `playbook_dir`, `hash_behaviour`.
"""
import json
import os
import pathlib
import subprocess
import sys

cases = pathlib.Path(__file__).parent / "Cases"
bin = pathlib.Path(sys.executable).parent


def run(case, *arguments):
    env = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0"}
    if (case / "hash_behaviour").exists():
        env["ANSIBLE_HASH_BEHAVIOUR"] = "merge"
    done = subprocess.run([bin / arguments[0], *arguments[1:]], cwd=case, env=env, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr)
    return done.stdout


def hosts(case, sources, lines):
    """The names that Ansible's own inventory gives for each pattern."""
    code = """
import json, sys
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
sources, lines = json.loads(sys.argv[1])
for line in lines:
    inventory = InventoryManager(DataLoader(), sources)
    pattern, _, limit = line.partition("\\t")
    try:
        if limit:
            inventory.subset(limit)
        print(line + "\\t=> " + " ".join(h.name for h in inventory.get_hosts(pattern)))
    except Exception as error:
        print(line + "\\t=> error")
"""
    done = subprocess.run([sys.executable, "-c", code, json.dumps([sources, lines])], cwd=case, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr)
    return done.stdout


only = sys.argv[1:]
for case in sorted(cases.iterdir()):
    if only and case.name not in only:
        continue
    sources = (case / "sources").read_text().splitlines()
    options = [word for source in sources for word in ("-i", source)]
    if (case / "playbook_dir").exists():
        options += ["--playbook-dir", (case / "playbook_dir").read_text().strip()]
    (case / "list.json").write_text(run(case, "ansible-inventory", *options, "--list"))
    (case / "export.yml").write_text(run(case, "ansible-inventory", *options, "--list", "--yaml", "--export"))
    # What is vaulted is not shown there, on purpose: that case's graph is ours.
    if case.name != "vaulted":
        (case / "graph.txt").write_text(run(case, "ansible-inventory", *options, "--graph", "--vars"))
    if (case / "patterns").exists():
        (case / "hosts.txt").write_text(hosts(case, sources, (case / "patterns").read_text().splitlines()))
    print(case.name)
