"""Outcomes of templates: ansible-core's own engine on one side, Gantry's on the other.

A case is a mapping: kind (`>` native result, `?` condition, `|` text of a file), text, variables, files, options.
An outcome is {"value": ...} or {"error": "..."}.
"""
import contextlib
import datetime
import io
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

os.environ.update(
    ANSIBLE_ALLOW_BROKEN_CONDITIONALS="1", ANSIBLE_DEPRECATION_WARNINGS="0", ANSIBLE_DEVEL_WARNING="0",
    ANSIBLE_LOCALHOST_WARNING="0", TZ="UTC",
    ANSIBLE_JINJA2_EXTENSIONS="jinja2.ext.do,jinja2.ext.loopcontrols",
)

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUNDLE = os.environ.get("GANTRY_TEMPLATE_BUNDLE", ROOT / ".build/debug/gantryPackageTests.xctest")
_ready = False


def _trusted(value):
    from ansible.template import trust_as_template
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, list):
        return [_trusted(item) for item in value]
    if isinstance(value, dict):
        return {key: _trusted(item) for key, item in value.items()}
    return value


def plain(value):
    """As JSON has it; what JSON has no word for keeps apart from its text."""
    if isinstance(value, dict):
        return {str(key) if not isinstance(key, (int, float, bool, type(None))) else json.dumps(key): plain(item)
                for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, datetime.date):
        # As results show it.
        return value.isoformat()
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return repr(value)


def ansible(case, folder):
    """ansible-core's outcome."""
    global _ready
    if not _ready:
        from ansible.plugins.loader import init_plugin_loader
        init_plugin_loader([])
        _ready = True
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar, trust_as_template
    for name, content in case.get("files", {}).items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    loader = DataLoader()
    loader.set_basedir(folder)
    templar = Templar(loader=loader, variables=_trusted(case.get("variables", {})))
    text = trust_as_template(case["text"])
    try:
        if case["kind"] == "?":
            return {"value": templar.evaluate_conditional(text)}
        if case["kind"] == "|":
            result = templar.template(text, escape_backslashes=False, overrides=case.get("options") or None)
            return {"value": "" if result is None else str(result)}
        return {"value": plain(templar.template(text))}
    except RecursionError:
        return {"error": "RecursionError"}
    except Exception as error:  # noqa: BLE001
        return {"error": f"{type(error).__name__}: {error}"}


def expected(cases):
    result = []
    warnings.simplefilter("ignore")
    for case in cases:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            result.append(ansible(case, folder))
    return result


def gantry(cases):
    """Gantry's outcomes. A case that ends the program is an outcome, too; the others go on behind it."""
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        given, got = pathlib.Path(folder, "cases"), pathlib.Path(folder, "outcomes")
        while len(outcomes) < len(cases):
            given.write_text("".join(json.dumps(case) + "\n" for case in cases[len(outcomes):]))
            got.write_text("")
            done = subprocess.run(
                [BUNDLE, "--testing-library", "swift-testing", "--filter", "ExchangeTests"], cwd=ROOT,
                env=dict(os.environ, GANTRY_TEMPLATE_CASES=str(given), GANTRY_TEMPLATE_OUTCOMES=str(got)),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            lines = got.read_text().split("\n")[:-1]
            outcomes += [json.loads(line) for line in lines]
            if len(outcomes) < len(cases):
                if not lines and "ExchangeTests" not in done.stdout:
                    sys.exit(f"the tests do not run; build them with: swift build --build-tests\n{done.stdout[-2000:]}")
                outcomes.append({"crash": done.stdout[-300:]})
    return outcomes


def same(left, right):
    if "error" in left or "error" in right:
        return "error" in left and "error" in right
    if "value" not in left or "value" not in right:
        return False
    return equal(left["value"], right["value"])


def equal(left, right):
    if isinstance(left, (list, dict)):
        if type(left) is not type(right) or len(left) != len(right):
            return False
        if isinstance(left, list):
            return all(equal(a, b) for a, b in zip(left, right))
        return list(left) == list(right) and all(equal(left[key], right[key]) for key in left)
    # NaN and the infinities have no JSON; both sides write their names.
    if isinstance(left, float) and not math.isfinite(left):
        left = repr(left)
    if isinstance(right, float) and not math.isfinite(right):
        right = repr(right)
    return type(left) is type(right) and left == right
