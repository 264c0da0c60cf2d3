from pathlib import Path

import pytest

from embft.config import CorpusConfig
from embft.corpus import reading
from embft.corpus.sources import FORMATS, Source, find_sources
from embft.errors import CorpusError


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("text", encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    run, cache = "outputs/runs/x", "outputs/cache"
    write(tmp_path, "guide.md", "docs/a.txt", "image.png", ".hidden/b.md", "docs/.c.md")
    write(tmp_path, f"{run}/status.json", f"{run}/config.yaml", f"{run}/report.md", f"{run}/dataset/d.csv")
    write(
        tmp_path,
        f"{cache}/stages/corpus/1/stage.json",
        f"{cache}/stages/corpus/1/pages.jsonl",
        f"{cache}/downloads/e.pdf",
    )
    write(tmp_path, "outputs/sweeps/y/multirun.yaml", "outputs/sweeps/y/report.md", "node_modules/m/README.md")
    write(tmp_path, "env/pyvenv.cfg", "env/lib/notes.txt")
    return tmp_path


def test_what_embft_wrote_is_never_a_document_and_is_counted(project: Path) -> None:
    found = find_sources(str(project), project / "outputs/cache")
    assert [source.name for source in found.sources] == ["docs/a.txt", "guide.md"]
    assert found.others == {".png": 1}
    assert found.left_out == {
        "Python packages": 1, "caches of embft": 2, "hidden": 2, "node_modules": 1, "runs of embft": 3,
    }  # fmt: skip


def test_a_glob_leaves_out_the_same(project: Path) -> None:
    found = find_sources(str(project / "**/*.md"))
    assert [source.name for source in found.sources] == ["guide.md"]
    assert found.left_out == {"node_modules": 1, "runs of embft": 2}


def test_a_run_as_the_corpus_says_why_nothing_is_read(project: Path) -> None:
    with pytest.raises(CorpusError, match="2 left out: runs of embft"):
        find_sources(str(project / "outputs/runs/x"))


def test_links_that_lead_nowhere_are_counted(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    (tmp_path / "b.md").symlink_to(tmp_path / "gone.md")
    assert find_sources(str(tmp_path)).left_out == {"broken links and special files": 1}


def test_an_old_format_comes_with_its_remedy(tmp_path: Path) -> None:
    write(tmp_path, "a.doc")
    with pytest.raises(CorpusError, match=r"soffice --headless --convert-to docx"):
        find_sources(str(tmp_path / "a.doc"))


@pytest.mark.parametrize("format_name", sorted(set(FORMATS.values())))
def test_every_listed_format_has_a_reader(tmp_path: Path, format_name: str) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"")
    with pytest.raises(CorpusError):  # of the file; a format that nothing reads is a ValueError
        reading._read(Source("empty", path, format_name), CorpusConfig(), None)
