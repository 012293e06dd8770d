#!/usr/bin/env python3
"""Writes the expectations of Cases/values (JSON of what PyYAML reads) and Cases/dumps (what PyYAML writes).

Run by hand after a new case; review the difference. Needs PyYAML with libyaml.
"""
import datetime
import json
import pathlib
import yaml

cases = pathlib.Path(__file__).parent / "Cases"


class Loader(yaml.CSafeLoader):
    pass


def unsafe(loader, node):
    if isinstance(node, yaml.ScalarNode):
        node = yaml.ScalarNode(loader.resolve(yaml.ScalarNode, node.value, (True, False)), node.value)
        return loader.construct_object(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


Loader.add_constructor("!unsafe", unsafe)
Loader.add_constructor("!vault", lambda loader, node: "decrypted:" + loader.construct_scalar(node))


def plain(value):
    if isinstance(value, dict):
        return {k if isinstance(k, (bytes, int, float)) else str(k) if k is not None else k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode()
    return value


for case in sorted(cases.glob("values/*.yml")):
    documents = [plain(d) for d in yaml.load_all(case.read_bytes(), Loader)]
    case.with_suffix(".json").write_text(json.dumps(documents, indent=1) + "\n")

styles = {
    "inventory": dict(default_flow_style=False),
    "to_yaml": dict(default_flow_style=None),
    "to_nice_yaml": dict(default_flow_style=False, indent=4),
    "unsorted": dict(default_flow_style=False, sort_keys=False, width=40, indent=3),
    "flow": dict(default_flow_style=True),
    "ascii": dict(default_flow_style=False, allow_unicode=False, explicit_start=True),
}


class Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data):
        return True


for case in sorted(cases.glob("dumps/*.json")):
    value = json.loads(case.read_text())
    out = ""
    for name, style in styles.items():
        style = {"allow_unicode": True, **style}
        out += f"==== {name}\n" + yaml.dump(value, Dumper=Dumper, **style)
    case.with_suffix(".txt").write_text(out)
