"""Every page can be read: with a keyboard, by ear, on a phone, on paper, and without a network."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wholecase.audit import check_cohort, write_page
from wholecase.cohort import read_cohort
from wholecase.report import compare, compare_page, write_report
from wholecase.runs import RunFolder

VOID = {
    "br",
    "col",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "circle",
    "line",
    "path",
    "polyline",
    "rect",
}
ASKED = {"a", "button", "input", "select", "summary", "textarea"}
INSIDE = re.compile("#|data:image/")
CHROMIUM = next(
    (p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None
)


class Reader(HTMLParser):
    """Goes through a page as what reads it aloud does, and notes what it stumbles over."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str], list[str]]] = []
        self.ids: list[str] = []
        self.levels: list[int] = []
        self.targets: list[str] = []
        self.faults: list[str] = []
        self.first = ""
        self.feed(page)
        self.faults += [f"id {name!r} twice" for name in set(self.ids) if self.ids.count(name) > 1]
        self.faults += [f"nothing is {name!r}" for name in set(self.targets) - set(self.ids)]
        steps = zip([0, *self.levels], self.levels, strict=False)
        self.faults += [f"h{b} after h{a}" for a, b in steps if b > a + 1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        above = [name for name, *_ in self.open]
        self.ids += [told["id"]] if "id" in told else []
        self.targets += [told["popovertarget"]] if "popovertarget" in told else []
        self.targets += [told["href"][1:]] if told.get("href", "#") != "#" else []
        self.levels += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        self.first = self.first or (f"{tag}.{told.get('class', '')}" if tag in ASKED else "")
        in_picture = any(one.get("role") == "img" for _, one, _ in self.open)
        met = {
            f"{tag} within {above[-1] if above else ''}": tag in ASKED and set(above) & ASKED,
            f"{tag} within a picture": tag in ASKED and in_picture,
            "img without words": tag == "img" and not told.get("alt"),
            "svg without words": tag == "svg" and not told.get("aria-label"),
            "input without label": tag == "input" and "label" not in above,
            "a word that only a mouse explains": tag == "abbr",
        }
        outside = [told[n] for n in ("src", "href") if not INSIDE.match(told.get(n, "#"))]
        self.faults += [fault for fault, is_met in met.items() if is_met]
        self.faults += [f"leads outside: {address[:40]}" for address in outside]
        for *_, words in self.open:
            words.append(told.get("alt", ""))
        if tag not in VOID:
            self.open.append((tag, told, [told.get("aria-label", "")]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        opened, _, words = self.open.pop()
        if opened != tag:
            self.faults.append(f"{opened} ends as {tag}")
        if tag in {*ASKED, "th", "h1", "h2", "h3", "h4"} and not "".join(words).strip():
            self.faults.append(f"{tag} without a name")

    def handle_data(self, data: str) -> None:
        for *_, words in self.open:
            words.append(data)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, make_run, wish) -> RunFolder:
    return make_run(tmp_path_factory.mktemp("runs") / "small", wish(cases=24, folds=2))


@pytest.fixture(scope="module")
def pages(small: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One of each kind, of runs with pictures and without."""
    root = tmp_path_factory.mktemp("pages")
    other = root / "other"
    shutil.copytree(small.root, other, ignore=shutil.ignore_patterns("pictures"))
    text = RunFolder(other).predictions.read_text().replace(",mutated\n", ",x\n")
    RunFolder(other).predictions.write_text(
        text.replace(",wild-type\n", ",mutated\n").replace(",x\n", ",wild-type\n")
    )
    recipe = RunFolder(other).recipe
    recipe.write_text(recipe.read_text().replace("epochs: 50", "epochs: 20"))
    return {
        "report": write_report(small.root),
        "bare": write_report(other),
        "compare": compare_page(compare([small.root, other]), root / "compare.html"),
        "check": _check(root),
    }


def _check(root: Path) -> Path:
    """The page of a cohort whose picture stands under two patients."""
    scene = np.random.default_rng(1).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(scene).resize((160, 120), Image.Resampling.BICUBIC)
    picture.save(root / "a.png")
    picture.rotate(180).save(root / "b.png")
    rows = [f"c{n},p{n},{name}.png,{'yn'[n % 2]},tile" for n, name in enumerate("ab")]
    cohort = root / "cohort.csv"
    cohort.write_text("\n".join(["case_id,patient_id,path,label,kind", *rows, ""]))
    return write_page(check_cohort(read_cohort(cohort, None)), root / "check.html")


KINDS = ("report", "bare", "compare", "check")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_can_be_read_by_keyboard_and_by_ear(pages: dict[str, Path], kind: str) -> None:
    text = pages[kind].read_text(encoding="utf-8")
    found = Reader(text)
    assert found.faults == []
    assert found.open == []
    assert found.first == "a.skip"
    assert found.levels.count(1) == 1
    for once in (
        '<html lang="en">',
        '<main id="main"',
        '<nav aria-label="Sections">',
        'name="viewport"',
        "<dialog",
    ):
        assert text.count(once) == 1
    for rule in (
        "@media print",
        ":focus-visible",
        "prefers-color-scheme: dark",
        "prefers-reduced-motion",
    ):
        assert rule in text
    assert text.count('class="term"') >= 3
    assert text.count('<details class="fold" open>') == text.count("<section") >= 3


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ('<img src="data:image/png;base64,">', "img without words"),
        ("<button></button>", "button without a name"),
        ('<a href="#x"><img alt="" src="data:image/png;base64,"></a>', "a without a name"),
        ('<a href="https://example.org">there</a>', "leads outside: https://example.org"),
        ('<p id="a"></p><p id="a"></p>', "id 'a' twice"),
        ("<h1>one</h1><h3>three</h3>", "h3 after h1"),
        ('<button popovertarget="w">word</button>', "nothing is 'w'"),
        ('<svg role="img" aria-label="x"><a href="#">x</a></svg>', "a within a picture"),
        ("<summary><button>in</button></summary>", "button within summary"),
        ("<table><tr><th></th></tr></table>", "th without a name"),
        ("<abbr title='long'>short</abbr>", "a word that only a mouse explains"),
    ],
)
def test_what_stops_a_reader_is_found(page: str, fault: str) -> None:
    assert fault in Reader(page).faults


def test_what_differs_between_the_recipes_stands_side_by_side(pages: dict[str, Path]) -> None:
    text = pages["compare"].read_text(encoding="utf-8")
    part = text[text.index('<section id="recipes">') : text.index('<section id="cases">')]
    cells = re.findall(r"<td>(?:<code>)?(.*?)(?:</code>)?</td>", part)
    assert cells == ["train.epochs", "50", "20"]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("kind", [*KINDS, "case"])
def test_no_page_scrolls_sideways_and_none_is_endless_on_a_phone(
    pages: dict[str, Path], tmp_path: Path, kind: str, width: int
) -> None:
    page = pages["report" if kind == "case" else kind]
    at = re.findall('id="(case-.*?)"', page.read_text(encoding="utf-8"))[-1:]  # of a later portion
    (tmp_path / "frame.html").write_text(
        f'<iframe src="{page.as_uri()}{f"#{at[0]}" if kind == "case" else ""}"'
        f' style="width:{width}px;height:844px;border:0"></iframe><output></output><script>'
        "onload = () => { const page = document.querySelector('iframe').contentDocument;"
        "const html = page.documentElement, own = page.querySelector('.case-page:target');"
        "document.querySelector('output').textContent = ["
        "Math.max(html.scrollWidth, own?.scrollWidth || 0), html.scrollHeight,"
        "Boolean(own?.clientHeight > 700)] }</script>"
    )
    assert CHROMIUM is not None
    told = subprocess.run(
        [
            CHROMIUM,
            *("--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1600,1000"),
            *("--virtual-time-budget=4000", "--dump-dom", (tmp_path / "frame.html").as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    across, down, is_case = re.search(r"<output>(.*?)</output>", told)[1].split(",")
    assert int(across) <= width
    assert is_case == str(kind == "case").lower()
    if width == 390 and kind != "case":
        assert int(down) < 6_000
