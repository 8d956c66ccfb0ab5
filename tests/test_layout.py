"""The house stays as the README's map draws it: imports point one way."""

import ast
from pathlib import Path

import pytest

import autograd
import nn

ROOT = Path(__file__).parent.parent
ORDER = ["errors", "op", "rules", "modes", "graph", "backward", "value", "transforms", "program", "lowering", "passes",
         "waves", "planning", "arena", "quoting", "rendering", "naming", "closure", "capture", "compiling",
         "expression", "folding", "text", "formulas", "narrating", "tracing"]  # fmt: skip
VIEWS = ["drawing", "questions", "catalogue", "testing"]  # on top of these, and not on each other
PAGES = ["stepper", "__main__", "chainrule_pytest"]  # on top of all
PACKAGES = ["rules", "testing"]
LATE = {("tracing", "stepper")}  # imported in a call: a trace shows itself as a page


def imports(path: Path) -> set[str]:
    """Modules that a file imports, function-level ones included, ``if TYPE_CHECKING`` ones not."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and ast.unparse(test.test) == "TYPE_CHECKING"
        for statement in test.body
        for node in ast.walk(statement)
    }
    found = set()
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            module = [*base, *((node.module or "").split(".") if node.module else [])]
            found.add(".".join(module))
            found |= {".".join([*module, alias.name]) for alias in node.names}
    return found


def module(path: Path) -> str:
    return path.relative_to(ROOT).parts[1].removesuffix(".py")


SOURCES = sorted(ROOT.glob("autograd/**/*.py")) + sorted(ROOT.glob("nn/**/*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path):
    used = {name.split(".")[1] for name in imports(path) if name.startswith("autograd.") and name.count(".") >= 1}
    if path.parts[len(ROOT.parts)] == "nn":
        public = set(dir(autograd))
        internal = {name for name in imports(path) if name.startswith("autograd.") and name.split(".")[1] not in public}
        assert not internal, "nn uses only the public names of autograd"
        return
    assert not any(name.split(".")[0] == "nn" for name in imports(path)), "autograd never imports nn"
    here = module(path)
    if here == "__init__":
        return
    assert here in ORDER + VIEWS + PAGES, f"{here}.py stands in no list: say here where it belongs"
    below = ORDER[: ORDER.index(here)] if here in ORDER else ORDER if here in VIEWS else ORDER + VIEWS + PAGES
    modules = {name for name in used if name in ORDER + VIEWS + PAGES and (here, name) not in LATE}
    assert modules <= {*below, *([here] if here in PACKAGES else [])}, f"{here} imports {modules - set(below)}"


def test_no_module_has_the_name_of_a_public_function():
    for package in (autograd, nn):
        names = {p.stem for p in Path(package.__file__).parent.iterdir() if p.suffix == ".py" or p.is_dir()}
        public = {name for name, thing in vars(package).items() if callable(thing) and not name.startswith("_")}
        assert not names & public


def test_the_top_level_holds_what_the_readme_says():
    allowed = {"pyproject.toml", "README.md", "LICENSE", "autograd", "nn", "tests", "notebooks"}
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    found = {p.name for p in ROOT.iterdir() if not any(p.match(pattern.rstrip("/")) for pattern in [".*", *ignored])}
    assert found <= allowed


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_evaluates_strings_or_unpickles(path):
    names = {node.func.id for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
    assert not names & {"eval", "exec"}
    assert "pickle" not in imports(path)
