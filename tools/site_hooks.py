"""What MkDocs does besides for the site of the documentation: pages and files outside `docs/`, links, the menu's rest.

The pages are written for the code host: a link leads to a file of the checkout. Here the pages of `OUTSIDE` are taken
into the site, each other file that a page links to is copied beside, and links are turned to where these are.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = {
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/RESULTS.md": "results.md",
    "ontologies/README.md": "ontologies.md",
}
"""Pages outside `docs/` that are in the site, by their place in the checkout."""

INSIDE = {page: file for file, page in OUTSIDE.items()}
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"^```(\w+) [\w-]+$", re.MULTILINE)
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def on_config(config: MkDocsConfig) -> None:
    """Put pages that the menu does not name under "More"."""
    named = set(re.findall(r"[\w/-]+\.md", str(config.nav)))
    others = sorted(path.name for path in Path(config.docs_dir).glob("*.md") if path.name not in named)
    if config.nav is not None and others:
        config.nav.append({"More": others})


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside."""
    for file, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / file)))
    return files


def on_page_markdown(markdown: str, page: Any, config: MkDocsConfig, files: Files) -> str:
    """Turn the links of a page, outside its code, and take from code blocks what only the tests read."""
    name = page.file.src_uri
    origin = INSIDE.get(name, f"docs/{name}")

    def turned(found: re.Match[str]) -> str:
        return f"{found[1]}{target(found[2], origin, config, files)}{found[3]}"

    parts, last = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [_LINK.sub(turned, markdown[last : fence.start()]), _MARK.sub(r"```\1", fence[0])]
        last = fence.end()
    return "".join((*parts, _LINK.sub(turned, markdown[last:])))


def target(link: str, origin: str, config: MkDocsConfig, files: Files) -> str:
    """Return where a link of the page that lies at `origin` in the checkout leads in the site."""
    path, mark, anchor = link.partition("#")
    if not path or re.match(r"[a-z]+:", link):
        return link
    place = posixpath.normpath(posixpath.join(posixpath.dirname(origin), path))
    inside = OUTSIDE.get(place) or (place.removeprefix("docs/") if place.startswith("docs/") else "")
    known = files.get_file_from_path(inside)
    if known is None or known.inclusion is InclusionLevel.EXCLUDED:
        inside = f"files/{place}{'.txt' if place.endswith('.md') else ''}"  # pages are made before links are seen
        if files.get_file_from_path(inside) is None and (ROOT / place).is_file():
            files.append(File.generated(config, inside, abs_src_path=str(ROOT / place)))
    here = OUTSIDE.get(origin) or origin.removeprefix("docs/")
    return posixpath.relpath(inside, posixpath.dirname(here) or ".") + mark + anchor
