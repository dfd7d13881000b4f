"""The audit as one HTML page: nothing is loaded from elsewhere, pictures are inside, and it works without a server."""

from __future__ import annotations

import base64
import html
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from digits.files import replacing
from digits.learning.data.audit import Audit, audit
from digits.learning.data.own_image import given_split
from digits.learning.data.own_images import EXCLUDE_FILE
from digits.learning.data.splits import SPLITS
from digits.reading.models.contract import CLASSES

_MOST_CARDS = 2000  # pictures in the list of all: about 10 MB; the other lists are never cut
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Own images: audit</title><style>
body { font: 15px/1.45 system-ui, sans-serif; color: #1c1c1c; background: #fff; margin: 0 auto; max-width: 1120px;
       padding: 0 20px 240px; }
h1 { margin: 28px 0 4px; }
label.name { display: block; } label.name input { margin: 0 4px 0 0; vertical-align: -2px; }
h2 { margin: 36px 0 8px; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; } th, td { padding: 3px 9px; text-align: right; border-bottom: 1px solid #e4e4e4; }
th:first-child, td:first-child { text-align: left; } td.few { background: #ffe2b8; }
.cards { display: flex; flex-wrap: wrap; gap: 10px; } .group { margin: 0 0 14px; padding: 8px; background: #f5f5f5; }
.card { box-sizing: border-box; width: 216px; padding: 8px; border: 1px solid #d8d8d8; border-radius: 6px;
        background: #fff; }
.card.out { opacity: .45; } .pictures { display: flex; gap: 6px; height: 96px; align-items: center; }
.pictures img { max-width: 96px; max-height: 96px; }
.name { font-size: 12px; overflow-wrap: anywhere; margin-top: 4px; }
.note { color: #a23b00; } .quiet { color: #666; } summary { cursor: pointer; margin: 8px 0; }
#list { position: fixed; left: 0; right: 0; bottom: 0; background: #f2f6ff; border-top: 2px solid #4668c5;
        padding: 10px 20px; } #list textarea { width: 100%; height: 90px; box-sizing: border-box; font-size: 12px; }
</style></head><body>
"""
_SCRIPT = """<script>
const area = document.querySelector("#list textarea");
function lines() { return area.value.split("\\n").map(line => line.trim()).filter(line => line); }
function mark() {
  const listed = new Set(lines());
  document.querySelectorAll("input[data-path]").forEach(box => {
    box.checked = listed.has(box.dataset.path);
    box.closest(".card").classList.toggle("out", box.checked);
  });
}
document.addEventListener("change", event => {
  const path = event.target.dataset.path;
  if (!path) return;
  const others = lines().filter(line => line !== path);
  area.value = (event.target.checked ? others.concat(path) : others).join("\\n") + "\\n";
  mark();
});
area.addEventListener("input", mark);
document.querySelector("#save").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines().join("\\n") + "\\n"], { type: "text/plain" }));
  link.download = "exclude.txt";
  link.click();
});
mark();
</script></body></html>
"""


def write_page(custom_dir: Path, merged_dir: Path, page: Path) -> Path:
    """Look at the own images of a built `merged_dir` and write the page; return its path.

    Raises:
        DatasetError: if `merged_dir` was not built.
    """
    text = render(audit(custom_dir, merged_dir))
    page = Path(page)
    page.parent.mkdir(parents=True, exist_ok=True)
    with replacing(page) as beside:
        beside.write_text(text, encoding="utf-8")
    return page


def render(result: Audit) -> str:
    """Return the whole page."""
    used = sum(not image.reason for image in result.images)
    sections = [
        f"<h1>Own images</h1><p class=quiet>{used:,} of {len(result.images):,} pictures of"
        f" {html.escape(str(result.custom_dir))} are used.</p>",
        _section("What would help most", _advice(result)),
        _section("How many", _counts(result)),
        _section("Labels in doubt", _doubts(result)),
        _section("Pictures to take again", _problems(result)),
        _section("Near-duplicates", _near_duplicates(result)),
        _section("Left out", _left_out(result)),
        _section("All pictures", _all(result)),
        _exclude_list(result),
    ]
    return _HEAD + "\n".join(sections) + _SCRIPT


def _section(title: str, body: str) -> str:
    return f"<h2>{title}</h2>\n{body}"


def _advice(result: Audit) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in result.advice)
    return f"<ul>{items}</ul>" if items else "<p>Nothing: every digit, pen and split is there.</p>"


def _counts(result: Audit) -> str:
    used = [image for image in result.images if not image.reason]
    splits = Counter((image.split, image.label) for image in used)
    sessions = Counter((image.session, image.label) for image in used)
    where = {session: sorted({image.split for image in used if image.session == session}) for session, _ in sessions}
    rows = [(split, "", [splits[split, digit] for digit in range(CLASSES)]) for split in SPLITS]
    rows += [(name, ", ".join(where[name]), [sessions[name, d] for d in range(CLASSES)]) for name in sorted(where)]
    digits = "".join(f"<th>{digit}</th>" for digit in range(CLASSES))
    text = [f"<table><tr><th>split or session</th><th>split</th>{digits}<th>all</th></tr>"]
    for name, inside, counts in rows:
        whole = name in SPLITS or given_split(name) == "train"  # corrections need not show every digit
        cells = "".join(f"<td{'' if count or whole else ' class=few'}>{count}</td>" for count in counts)
        text.append(f"<tr><td>{html.escape(name)}</td><td>{html.escape(inside)}</td>{cells}<td>{sum(counts)}</td></tr>")
    return "\n".join(text) + "</table>"


def _doubts(result: Audit) -> str:
    intro = (
        "<p class=quiet>Each picture judged by a model that was fitted without it and without its session."
        " Wrong label, wrong tile or just unusual: look, worst first.</p>"
    )
    notes = {position: f"filed as {result.images[position].label} ({100 * p:.0f} %), looks like {taken}"
             for position, taken, p in result.doubts}  # fmt: skip
    return intro + _cards(result, notes, notes) if notes else "<p>None.</p>"


def _problems(result: Audit) -> str:
    notes = {position: look.problem for position, look in enumerate(result.looks)
             if look.problem and not result.images[position].reason}  # fmt: skip
    return _cards(result, sorted(notes, key=lambda p: notes[p]), notes) if notes else "<p>None.</p>"


def _near_duplicates(result: Audit) -> str:
    text = []
    for group in result.groups:
        splits = {result.images[position].split for position in group if not result.images[position].reason}
        crossing = [position for position in group if result.images[position].reason.startswith("near-duplicate")]
        note = f"all in {', '.join(splits)}" if splits else "all left out"
        if crossing:
            note = f"<b>crossed splits</b>: {len(crossing)} left out so that {', '.join(splits)} alone has them"
        text.append(f"<div class=group><p>{note}</p>{_cards(result, group, {})}</div>")
    return "\n".join(text) or "<p>None.</p>"


def _left_out(result: Audit) -> str:
    notes = {position: image.reason for position, image in enumerate(result.images) if image.reason}
    return _cards(result, notes, notes) if notes else "<p>None.</p>"


def _all(result: Audit) -> str:
    sessions: dict[str, list[int]] = {}
    for position in list(result.tiles)[:_MOST_CARDS]:
        sessions.setdefault(result.images[position].session, []).append(position)
    cut = f"<p>The first {_MOST_CARDS:,} only.</p>" if len(result.tiles) > _MOST_CARDS else ""
    lists = (
        f"<details><summary>{html.escape(session)} ({len(positions)})</summary>{_cards(result, positions, {})}"
        for session, positions in sessions.items()
    )
    return cut + "\n".join(f"{text}</details>" for text in lists)


def _cards(result: Audit, positions: Iterable[int], notes: dict[int, str]) -> str:
    return (
        f"<div class=cards>{''.join(_card(result, position, notes.get(position, '')) for position in positions)}</div>"
    )


def _card(result: Audit, position: int, note: str) -> str:
    image, look = result.images[position], result.looks[position]
    path = html.escape(image.original, quote=True)
    pictures = _inline("jpeg", look.thumbnail, "original") + _inline("png", result.tiles.get(position, b""), "tile")
    note = f"<div class='name note'>{html.escape(note)}</div>" if note else ""
    return (
        f"<div class=card><div class=pictures>{pictures}</div>{note}<label class=name>"
        f'<input type=checkbox data-path="{path}"> leave out</label><div class=name>{path}'
        f" <span class=quiet>{image.split}</span></div></div>"
    )


def _inline(kind: str, content: bytes, title: str) -> str:
    if not content:
        return ""
    return f"<img alt={title} src='data:image/{kind};base64,{base64.b64encode(content).decode()}'>"


def _exclude_list(result: Audit) -> str:
    lines = html.escape("".join(f"{line}\n" for line in sorted(result.excluded)))
    target = html.escape(str(result.custom_dir / EXCLUDE_FILE))
    return (
        f"<div id=list><b>{EXCLUDE_FILE}</b>: tick “leave out” above, then <button id=save>save the list</button>"
        f" and put it at {target}; the next merge leaves these pictures out.<textarea spellcheck=false>{lines}"
        "</textarea></div>"
    )
