"""The wheel: what is in it, and that it works alone, where neither the checkout nor Prefect is.

Also what is written in several places and must agree.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

import pfocr_rdf
from pfocr_rdf.native import PURE
from tests.support import ROOT, SEEDS, unavailable

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
INGREDIENTS = ("pyproject.toml", "README.md", "LICENSE", "src", "flows", "ontologies")
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.so")
INTRODUCE = """
import importlib.util as util, pfocr_rdf, pfocr_rdf.ontologies
print(pfocr_rdf.__file__, *pfocr_rdf.ontologies.__path__, util.find_spec("pfocr_rdf_flows").origin, sep="\\n")
print("prefect:", util.find_spec("prefect"))
"""
EXTENSION = sysconfig.get_config_var("EXT_SUFFIX")
COMPILES = shutil.which("cc") is not None and Path(sysconfig.get_path("include"), "Python.h").exists()
"""Whether this machine can compile the kernels."""
COUNT = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"


def run(*command: str | Path, cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """Return what a program prints; it must succeed. Nothing leads it to the checkout."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    known |= environment or {}
    done = subprocess.run(command, cwd=cwd, env=known, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def make(what: str, source: Path, target: Path, **environment: str) -> Path:
    """Build a wheel or a source distribution; return the file."""
    folder = target / what
    run(
        *(sys.executable, "-m", "build", f"--{what}", "--no-isolation", "--outdir", folder, source),
        cwd=target,
        environment=environment,
    )
    (built,) = folder.iterdir()
    return built


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of what the package is made from."""
    return copy(tmp_path / "source")


def copy(source: Path) -> Path:
    """Copy what the package is made from: leftovers of an earlier build in the checkout must not get in."""
    source.mkdir(exist_ok=True)
    for name in INGREDIENTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=NOT_SHIPPED)
        else:
            shutil.copy(ROOT / name, source)
    return source


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy."""
    return make("wheel", copy(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel, without extras, and nothing else."""
    folder = tmp_path_factory.mktemp("elsewhere") / "env"
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    programs = folder / "bin"
    pip = (programs / "python", "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel, cwd=folder)
    return programs


def shipped(folder: str) -> set[str]:
    """The files of a source folder that are meant to be installed, relative to it."""
    base = ROOT / folder
    files = (path for path in base.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    files = (path for path in files if path.suffix != ".so")  # an editable installation compiles there
    return {path.relative_to(base).as_posix() for path in files if not path.parent.name.endswith(".egg-info")}


def test_each_package_of_the_tree_is_listed() -> None:
    found = {path.parent.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("__init__.py")}
    found |= {f"pfocr_rdf_{path.parent.relative_to(ROOT).as_posix()}" for path in (ROOT / "flows").rglob("__init__.py")}
    found.add("pfocr_rdf/ontologies")
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == {name.replace("/", ".") for name in found}


def test_wheel_holds_each_file_of_the_package_the_flows_and_the_ontologies(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = shipped("src")
    expected |= {f"pfocr_rdf/ontologies/{name}" for name in shipped("ontologies")}
    expected |= {f"pfocr_rdf_flows/{name}" for name in shipped("flows")}
    if COMPILES:
        expected.add(f"pfocr_rdf/_native{EXTENSION}")
    assert held == expected
    assert {"pfocr_rdf/py.typed", "pfocr_rdf/ontologies/prefixes.json", "pfocr_rdf_flows/__init__.py"} <= held


def test_kernels_are_compiled_for_the_wheel() -> None:
    if not COMPILES:
        unavailable("there is no C compiler, or no Python.h (Debian packages gcc and python3-dev)")


def test_a_package_without_compiler_is_whole_and_pure(copied: Path, tmp_path: Path) -> None:
    built = make("wheel", copied, tmp_path, CC="no-such-compiler")
    with zipfile.ZipFile(built) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".so")]
        assert "pfocr_rdf/native.py" in archive.namelist()


def test_source_distribution_holds_the_kernels_and_compiles(copied: Path, tmp_path: Path) -> None:
    packed = make("sdist", copied, tmp_path)
    with tarfile.open(packed) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        archive.extractall(tmp_path, filter="data")
    kernels = {f"src/pfocr_rdf/kernels/{path.name}" for path in (ROOT / "src/pfocr_rdf/kernels").iterdir()}
    assert kernels | {"src/pfocr_rdf/_native.pyi"} <= names
    if COMPILES:
        built = make("wheel", tmp_path / packed.name.removesuffix(".tar.gz"), tmp_path)
        with zipfile.ZipFile(built) as archive:
            assert f"pfocr_rdf/_native{EXTENSION}" in archive.namelist()


def test_each_kernel_source_is_compiled() -> None:
    (extension,) = PROJECT["tool"]["setuptools"]["ext-modules"]
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "src").rglob("*.c")}
    assert set(extension["sources"]) == found
    assert extension["optional"] is True


def test_wheel_has_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (licence,) = [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()


@pytest.mark.timeout(600)  # the environment is filled from the package registry
def test_installed_package_is_whole_and_has_no_prefect(installed: Path, tmp_path: Path) -> None:
    *places, prefect = run(installed / "python", "-c", INTRODUCE, cwd=tmp_path).splitlines()
    assert len(places) == 3
    assert all(place.startswith(str(installed.parent)) for place in places), places
    assert prefect == "prefect: None"
    script = "from pfocr_rdf import native; print(native.in_use())"
    assert run(installed / "python", "-c", script, cwd=tmp_path, environment={PURE: ""}) == f"{COMPILES}\n"


@pytest.mark.timeout(600)
def test_installed_command_goes_from_seeds_to_answers(installed: Path, tmp_path: Path) -> None:
    command = installed / "pfocr-rdf"
    source, build = tmp_path / "seeds", tmp_path / "build"
    shutil.copytree(SEEDS, source)
    record = next(path for path in sorted(source.rglob("*.txt")))

    assert pfocr_rdf.__version__ in run(command, "--version", cwd=tmp_path)
    run(command, "build", source, "--out", build, cwd=tmp_path)
    assert (build / "manifest.json").is_file()
    assert "PMC7757046__ijbsv17p0204g001" in run(command, "show", record, cwd=tmp_path)
    heading, count = run(command, "query", COUNT, "--on", build, "--format", "csv", cwd=tmp_path).split()
    assert heading == "n"
    assert int(count) > 0


def test_version_is_the_same_in_the_citation_and_the_changelog() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^version: (.+)$", citation) == [pfocr_rdf.__version__]
    assert re.findall(r"(?m)^## \[?([0-9][^\] ]*)", changelog)[:1] == [pfocr_rdf.__version__]


def test_each_dependency_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {_name(line) for line in lines if re.fullmatch(r"[A-Za-z0-9_.-]+==[^ ]+", line)}
    assert len(pinned) == len([line for line in lines if not line.startswith("#")])
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    asked += [line for extra in PROJECT["project"]["optional-dependencies"].values() for line in extra]
    assert {_name(line) for line in asked} - {"pfocr-rdf"} <= pinned


def _name(requirement: str) -> str:
    """The normalized name that a requirement or a pin begins with."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~ ;]", requirement)[0]).lower()
