"""A git repository as a source: clone shallowly or update in a cache, check a revision out, know its date.

Uses the user's `git`. Nothing in the repository is executed: hooks and filters are off, links become text,
and only the protocols named in `_PROTOCOLS` are used.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from pfocr_rdf.errors import SourceUnavailable, UsageError
from pfocr_rdf.locks import lock

TOKEN = "PFOCR_RDF_GIT_TOKEN"  # noqa: S105 - the name of a variable
"""Environment variable with a token for addresses of https; git is given it by a helper, never as an argument."""

_PROTOCOLS = "file:git:http:https:ssh"
_HELPER = (
    f"""!answer() {{ test "$1" = get && printf 'username=x-access-token\\npassword=%s\\n' "${TOKEN}"; }}; answer"""
)
_ADDRESS = re.compile(r"(?:(?:file|git|https?|ssh)://[^\s/]*/\S+|[\w.-]+@[\w.-]+:\S+)")
_REVISION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/+-]{0,199}")
_OFF = (
    "core.hooksPath=/dev/null",
    "core.symlinks=false",
    "core.autocrlf=false",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "filter.lfs.smudge=",
    "filter.lfs.required=false",
    "gc.auto=0",
    "gc.autoDetach=false",
    "core.logAllRefUpdates=false",  # what was checked out before need not be kept
    "advice.detachedHead=false",
    "log.showSignature=false",
    "http.lowSpeedLimit=1000",  # bytes a second, for a minute: such a host does not answer
    "http.lowSpeedTime=60",
)
_READ = [f":(glob){place}*{suffix}" for place in ("", "_*/") for suffix in (".md", ".txt", ".tsv")]
"""Files that a source may be made of, ignored ones among them."""
_SAFE = [argument for setting in _OFF for argument in ("-c", setting)]
_OURS = {setting.partition("=")[0] for setting in _OFF}
_LOOSE, _PACKS = 5_000, 20
"""With more files of single objects, or of packs, a clone is tidied."""
_STOP_SECONDS = 10.0
"""So long git may take to end when it is told to."""
_FULL = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_UNAVAILABLE = re.compile(
    r"could not resolve host|failed to connect|couldn't connect|connection (?:refused|reset|timed out|closed)"
    r"|operation (?:timed out|too slow)|no route to host|network is unreachable|temporary failure"
    r"|returned error: (?:429|5\d\d)|empty reply|early eof|rpc failed|unexpected disconnect|ssl_(?:read|error)|gnutls",
    re.IGNORECASE,
)
"""What git says of a host that may answer another time."""
_BLOB = re.compile(r"(?<![^\0])H 100(?:644|755) ([0-9a-f]+) 0\t([^\0]+)")
"""A plain file of the index that git compares with the disk: tag, mode, object id, stage and path."""


@dataclass(frozen=True, slots=True)
class State:
    """A commit: its hash and its date in UTC (ISO 8601), or None where the folder is no repository.

    `blobs` has the object id of each plain file, by path; none where the files may not be the blobs' bytes.
    """

    revision: str | None = None
    date: str | None = None
    blobs: Mapping[str, str] = field(default_factory=dict)


def is_address(source: str) -> bool:
    """Whether SOURCE names a git repository: an address, or a local path, with an optional revision."""
    address, _ = split(source)
    return bool(_ADDRESS.fullmatch(address)) or Path(address).is_dir()


def split(source: str) -> tuple[str, str | None]:
    """Split `ADDRESS@REVISION`; the revision is None where none is given."""
    address, at, revision = source.rpartition("@")
    if at and _REVISION.fullmatch(revision) and (Path(address).is_dir() or _ADDRESS.fullmatch(address)):
        return address, revision
    return source, None


def describe(folder: Path) -> State:
    """Return the commit of a folder that is the top of a repository without changes, else an empty `State`."""
    if not (folder / ".git").exists() or shutil.which("git") is None:
        return State()
    status = ["status", "--porcelain", "--untracked-files=all", "--ignored", "--ignore-submodules=dirty"]
    filters = _filters(folder)
    try:
        changes = _git([*status, "--", *_READ], folder, off=filters)
    except UsageError:  # a damaged repository, or one that is another user's: a folder like any other
        return State()
    return State() if changes.strip() else _state(folder, converted=bool({*filters} - _OURS))


def _filters(folder: Path) -> list[str]:
    """Return the settings of a folder's own that name programs to convert files with; git would run them."""
    listed = _git(["config", "--null", "--name-only", "--get-regexp", r"^filter\."], folder, check=False)
    return sorted({name for name in listed.split("\0") if name})


def tip(source: str) -> str | None:
    """Return the hash of the commit that SOURCE is by now, asking no more than that: an address, or a clean checkout.

    None for what is no commit, or is none without looking further. Raises `UsageError` as `checkout` does.
    """
    address, revision = split(source)
    if Path(source).is_dir():
        return describe(Path(source)).revision
    if not is_address(source) or (revision is not None and _FULL.fullmatch(revision)):
        return revision
    if shutil.which("git") is None:
        raise UsageError("git is not installed: install it, or give a folder or an archive")
    if Path(address).is_dir():
        address = str(Path(address).resolve())
    wanted = revision or "HEAD"
    asked = ["ls-remote", "--quiet", "--", address, wanted, f"{wanted}^{{}}"]
    listed = _git(asked, Path(Path.cwd().anchor), also=_credential(address))
    found = {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}
    for name in (wanted, f"refs/tags/{wanted}^{{}}", f"refs/tags/{wanted}", f"refs/heads/{wanted}"):
        if name in found:
            return found[name]
    return None


@contextmanager
def checkout(source: str, cache: Path | None) -> Iterator[tuple[Path, State]]:
    """Check out `ADDRESS[@REVISION]` in the cache and yield its folder and commit; others wait meanwhile.

    Raises `UsageError` when git is missing, the address cannot be reached or lacks the revision.
    """
    if shutil.which("git") is None:
        raise UsageError("git is not installed: install it, or give a folder or an archive")
    address, revision = split(source)
    if Path(address).is_dir():
        address = str(Path(address).resolve())
    base = cache or platformdirs.user_cache_path("pfocr-rdf") / "git"
    folder = base / hashlib.sha256(address.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with lock(base / f"{folder.name}.lock", wait=True):
        if not (folder / ".git").exists():
            _git(["init", "--quiet", "."], folder)
        _unlock(folder / ".git")
        # bytes as they were committed, whatever the repository's own .gitattributes ask for
        (folder / ".git" / "info").mkdir(exist_ok=True)
        (folder / ".git" / "info" / "attributes").write_text(
            "* -text -ident -filter -working-tree-encoding\n", encoding="ascii"
        )
        _fetch(folder, address, revision)
        _git(["checkout", "--quiet", "--force", "--detach", "FETCH_HEAD"], folder)
        _git(["clean", "--quiet", "-ffdx"], folder)
        _tidy(folder)
        yield folder, _state(folder, converted=False)


def _unlock(repository: Path) -> None:
    """Remove the locks that a killed git left: nobody else is at work in a repository whose lock of ours is held."""
    for left in (*repository.glob("*.lock"), *(repository / "refs").rglob("*.lock")):
        left.unlink(missing_ok=True)


def _tidy(folder: Path) -> None:
    """Let git delete what no commit here needs, once there are many files of it: each fetch brings some."""
    many = ["-c", f"gc.auto={_LOOSE}", "-c", f"gc.autoPackLimit={_PACKS}"]
    _git([*many, "gc", "--auto", "--quiet", "--prune=now"], folder, check=False)


def without_secrets(address: str) -> str:
    """Return an address without user name and password."""
    return re.sub(r"(?<=://)[^/@]*@", "", address)


def _fetch(folder: Path, address: str, revision: str | None) -> None:
    wanted = revision or "HEAD"
    if revision is not None and _FULL.fullmatch(revision) and _fetched(folder) == revision:
        return
    try:
        _git(
            ["fetch", "--quiet", "--depth", "1", "--no-tags", "--", address, wanted], folder, also=_credential(address)
        )
    except UsageError:
        if revision is None or not re.fullmatch(r"[0-9a-f]{4,40}", revision):
            raise
        # a server that does not give single commits, or a shortened hash: fetch all and look there
        everything = ["fetch", "--quiet", "--no-tags", "--", address, "+refs/*:refs/remotes/all/*"]
        _git(everything, folder, also=_credential(address))
        full = _git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"], folder).strip()
        (folder / ".git" / "FETCH_HEAD").write_text(f"{full}\t\tcommit\n", encoding="ascii")


def _fetched(folder: Path) -> str:
    """Return the commit that was fetched last, which is whole: git notes it at the end."""
    try:
        return (folder / ".git" / "FETCH_HEAD").read_text(encoding="utf-8").partition("\t")[0]
    except (OSError, ValueError):
        return ""


def _credential(address: str) -> dict[str, str]:
    """Return the setting by which git learns the token of the environment: for this host, never in clear text."""
    place = urlsplit(address)
    here = place.scheme == "http" and place.hostname == "127.0.0.1"
    if not os.environ.get(TOKEN) or not (place.scheme == "https" or here):
        return {}
    return {f"credential.{place.scheme}://{place.netloc.rpartition('@')[2]}.helper": _HELPER}


def _state(folder: Path, *, converted: bool) -> State:
    """Return the commit of a folder without changes; `converted` says that programs may have changed its files."""
    lines = _git(["log", "-1", "--format=%H %ct"], folder, check=False).split()
    if len(lines) != 2:
        return State()
    date = datetime.fromtimestamp(int(lines[1]), UTC)
    return State(lines[0], date.strftime("%Y-%m-%dT%H:%M:%SZ"), {} if converted else _blobs(folder))


def _blobs(folder: Path) -> dict[str, str]:
    """Return the object id of each plain file, from the index; without changes it is what the commit has.

    The index says, as the commit cannot, which files git was told not to compare: they are left out.
    """
    listed = os.fsdecode(_run(["ls-files", "--stage", "-v", "-z"], folder, check=False))
    return {found[2]: found[1] for found in _BLOB.finditer(listed)}


def _git(
    arguments: list[str],
    folder: Path,
    *,
    check: bool = True,
    off: Sequence[str] = (),
    also: Mapping[str, str] | None = None,
) -> str:
    return _run(arguments, folder, check=check, off=off, also=also).decode("utf-8", "replace")


def _run(
    arguments: list[str],
    folder: Path,
    *,
    check: bool = True,
    off: Sequence[str] = (),
    also: Mapping[str, str] | None = None,
) -> bytes:
    settings = dict.fromkeys(off, "") | dict(also or {})
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",  # nothing is written into the user's repository
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C",
        "GIT_CONFIG_COUNT": str(len(settings)),
        **{f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(settings)},
        **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(settings.values())},
    }
    with subprocess.Popen(
        ["git", *_SAFE, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        try:
            out, errors = running.communicate()
        except BaseException:
            _stop(running)
            raise
    if check and running.returncode:
        said = without_secrets(" ".join(errors.decode("utf-8", "replace").split()))[:300]
        if _UNAVAILABLE.search(said):
            raise SourceUnavailable(f"git {arguments[0]}: {said}; the host of the source may answer later")
        raise UsageError(f"git {arguments[0]}: {said or 'failed'}; check the address and the revision")
    return out


def _stop(running: subprocess.Popen[bytes]) -> None:
    """End git so that it removes its locks; kill it where it does not end."""
    running.terminate()
    try:
        running.communicate(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        running.kill()
