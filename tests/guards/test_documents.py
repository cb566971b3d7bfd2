"""The documentation builds without a warning, its code runs, its commands parse, and nothing lags behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from documents import commands, example, files, parse, programme
from menura.audio import Audio, write_audio

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
GUIDES = [DOCS / "start.md", *sorted((DOCS / "guides").glob("*.md"))]
CONTRACTS = {
    "menura.synths": ("synths", "MENURA_TEST_SYNTHS"),
    "menura.embedders": ("embedders", "MENURA_TEST_EMBEDDERS"),
}
"""Entry-point group to the contract that what it adds must keep, and the variable that names it there."""


def environment(*folders: Path, **more: str) -> dict[str, str]:
    paths = [*map(str, folders), str(REPOSITORY / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}


def run(*words: str | Path, cwd: Path, env: dict[str, str], seconds: float = 240) -> str:
    """Runs Python; answers with what it said, and fails with it."""
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        check=False,
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, f"{done.stdout[-3_000:]}\n{done.stderr[-3_000:]}"
    return done.stdout + done.stderr


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the sound that the guides speak of."""
    write_audio(tmp_path / "cello.wav", Audio(example(REPOSITORY, "pluck").pluck(196.0, seconds=1.0), 44_100))
    return tmp_path


def install(folder: Path) -> dict[str, dict[str, str]]:
    """What pip does with a guide's pyproject.toml, as far as menura sees it; answers with its entry points."""
    if not (folder / "pyproject.toml").is_file():
        return {}
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    place = folder / f"{project['name']}-{project['version']}.dist-info"
    place.mkdir()
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (place / "METADATA").write_text(head, encoding="utf-8")
    groups: dict[str, dict[str, str]] = project["entry-points"]
    lines = [line for group, names in groups.items() for line in (f"[{group}]", *map(" = ".join, names.items()))]
    (place / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return groups


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_the_code_of_a_guide_runs(guide: Path, desk: Path) -> None:
    for name, text in files(guide).items():
        (desk / name).write_text(text, encoding="utf-8")
    added = install(desk)
    (desk / "guide.py").write_text(programme(guide), encoding="utf-8")
    said = run("-W", "error::SyntaxWarning", "guide.py", cwd=desk, env=environment(desk))
    assert said.strip(), "a guide shows what comes out"
    for group, names in added.items():
        contract, variable = CONTRACTS[group]
        for name in names:
            tests = REPOSITORY / "tests" / "contracts" / f"test_{contract}.py"
            asked = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", REPOSITORY / "pyproject.toml")
            env = environment(desk, **{variable: name, "CI": ""})
            passed = run(*asked, f"--rootdir={REPOSITORY}", tests, "-k", f"[{name}", cwd=desk, env=env)
            assert " passed" in passed
            assert "skipped" not in passed


def test_guides_that_add_something_add_it() -> None:
    groups = {
        group
        for guide in GUIDES
        for group in tomllib.loads(files(guide).get("pyproject.toml", "")).get("project", {}).get("entry-points", {})
    }
    assert groups == set(CONTRACTS)


@pytest.mark.parametrize(
    ("guide", "line"), [(guide.stem, line) for guide in GUIDES for line in commands(guide)], ids=lambda word: word[:60]
)
def test_commands_of_guides_parse(guide: str, line: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    parse(line)


def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    run("-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", DOCS, tmp_path, cwd=REPOSITORY, env=environment())
    assert (tmp_path / "reference" / "menura.html").read_text(encoding="utf-8").count("Presets that play a sound")


def test_the_reference_of_commands_is_what_the_code_says() -> None:
    run(DOCS / "make_cli_reference.py", "--check", cwd=REPOSITORY, env=environment())


def test_the_notebook_runs(desk: Path) -> None:
    """As a reader runs it, in a folder of its own; what is stored has no outputs, so that none can be out of date."""
    import nbformat

    path = REPOSITORY / "examples" / "research.ipynb"
    stored = nbformat.read(path, as_version=4)
    nbformat.validate(stored)
    cells = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert len(cells) >= 6
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    (desk / "notebook.py").write_text(
        "import sys, nbformat, nbclient\n"
        "book = nbformat.read(sys.argv[1], as_version=4)\n"
        "nbclient.NotebookClient(book, timeout=200, kernel_name='python3').execute()\n"
        "pictures = sum('image/png' in str(cell.get('outputs')) for cell in book.cells)\n"
        "open('pictures', 'w').write(str(pictures))\n",
        encoding="utf-8",
    )
    env = environment(IPYTHONDIR=str(desk / "ipython"), JUPYTER_RUNTIME_DIR=str(desk / "runtime"))
    env.pop("MPLBACKEND", None)
    run("notebook.py", path, cwd=desk, env=env)
    assert int((desk / "pictures").read_text()) == 4
