"""Pages of the site that lie outside docs/, API pages, and links that lead there and back."""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
BESIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Files of the repository -> pages."""
API = {
    "wholecase": ("From Python", ["wholecase.api"]),
    "parts": (
        "Bases of parts",
        [
            "wholecase.models.Aggregator",
            "wholecase.models.Backbone",
            "wholecase.models.Head",
            "wholecase.models.Pooling",
            "wholecase.encoders.Encoder",
            "wholecase.instances.Cut",
            "wholecase.sources.ImageSource",
        ],
    ),
    "values": (
        "Values between parts",
        [
            "wholecase.models.Batch",
            "wholecase.models.Embedded",
            "wholecase.models.Pooled",
            "wholecase.models.Answer",
            "wholecase.features.Bag",
            "wholecase.evaluation.Interval",
        ],
    ),
}
"""Page -> its title, and whose docstrings are on it."""
LINK = re.compile(r"(\[(?:[^\[\]]|\[[^\]]*\])*\])\(([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of docs/."""
    for name, page in BESIDE.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=relinked(text, name)))
    for page, (title, things) in API.items():
        text = "\n\n".join([f"# {title}", *(f"::: {thing}" for thing in things)])
        files.append(File.generated(config, f"api/{page}.md", content=f"{text}\n"))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead links of a page of docs/ to pages."""
    there = page.file.src_uri
    return markdown if page.file.generated_by else relinked(markdown, f"docs/{there}")


def relinked(markdown: str, source: str) -> str:
    """Links as they hold on the site; what the repository alone has keeps its label.

    Args:
        markdown: as it stands in the repository.
        source: its file, from the root of the repository.
    """
    here = BESIDE.get(source, source.removeprefix("docs/"))

    def lead(found: re.Match[str]) -> str:
        label, target, place = found[1], found[2], found[3] or ""
        if ":" in target:
            return found[0]
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        page = BESIDE.get(file, file.removeprefix("docs/") if file.startswith("docs/") else "")
        if not page or (ROOT / file).is_dir():
            return label[1:-1]
        start = posixpath.dirname(here) or "."
        return f"{label}({posixpath.relpath(page, start)}{place})"

    return LINK.sub(lead, markdown)
