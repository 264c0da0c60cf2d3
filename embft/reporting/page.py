"""compare.html, one page that needs no network: plots to brush, a table to filter and sort, jobs held against each other."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from embft.evaluation.multiple import holm
from embft.evaluation.names import label
from embft.files import write_text
from embft.reporting.alike import remarks
from embft.reporting.choosing import best_on_dev, by_dev
from embft.reporting.comparison_phrases import comparison_words, runner_up_sentence
from embft.reporting.explorer import embedded_json
from embft.reporting.jobs import Job, differing, names_of, short_keys, systems_of
from embft.reporting.language import language_of_jobs
from embft.reporting.levels import levels_of
from embft.reporting.paired import Paired, pair_jobs
from embft.reporting.summary import measured
from embft.reporting.sweep_origin import sweeps_of
from embft.wording import say, speaking

_MOST_PAIRED = 500
"""Jobs of which each two are compared on the page: more would make it larger than 10 MB."""
_VEGA = Path(__file__).parent / "vega"
_SCRIPTS = ("vega.min.js", "vega-lite.min.js", "vega-embed.min.js")


def write_page(
    path: Path,
    jobs: Sequence[Job],
    metric: str = "ndcg@10",
    baseline: str = "base",
    system: str = "tuned",
    against: Job | None = None,
) -> None:
    """Writes the page, in the language of the jobs' reports.

    Args:
        path: The file; it links to the jobs' reports by their paths from there.
        jobs: From `embft.reporting.jobs.collect`.
        metric: What is compared.
        baseline: What ``system`` is compared to within each job.
        system: Whose dev figure marks the best job.
        against: The job that all others are compared to when the page opens; the reader may choose another. None: the best
            on dev.
    """
    with speaking(language_of_jobs(jobs)):
        page = _render(path, jobs, metric, baseline, system, against)
    write_text(path, page)


def _render(path: Path, jobs: Sequence[Job], metric: str, baseline: str, system: str, against: Job | None) -> str:
    """The page; arguments as in `write_page`."""
    from embft.reporting.html import render_page

    names, every = names_of(jobs), list(jobs)
    system, baseline = measured(system, jobs), measured(baseline, jobs)
    best, keys = best_on_dev(jobs, metric, system), differing(jobs)
    ranked = [every.index(job) for job in by_dev(jobs, metric, system)]
    paired = pair_jobs(jobs, system, metric)
    links = [_link(job, path) for job in jobs]
    p_values = [job.p_value(system, baseline, metric) for job in jobs]
    adjusted = iter(holm([p for p in p_values if p is not None]))
    notes = remarks(jobs, metric, system)
    library = _library() if sum(job.metrics is not None for job in jobs) > 1 else ""
    levels = levels_of(jobs, metric, system, paired)
    if sum(len(group.places) for group in paired) > _MOST_PAIRED:
        notes.append(say("Only the {n} best jobs on dev can be held against each other here.", n=_MOST_PAIRED))
        paired = [group.restricted(set(ranked[:_MOST_PAIRED])) for group in paired]
    reference = against or best
    shown = dict(zip(keys, short_keys(keys), strict=True))
    return render_page(
        "compare.html",
        script="compare.js",
        library=Markup(library),
        library_hash=_hash(library),
        sweeps=sweeps_of(jobs),
        jobs=list(zip(names, jobs, links, strict=True)),
        keys=shown,
        systems=systems_of(jobs),
        metric=metric,
        system=system,
        baseline=baseline,
        best=best,
        runner_up=_runner_up(best, ranked, every, paired),
        remarks=notes,
        unfinished=[pair for pair in zip(names, jobs, strict=True) if pair[1].status != "ok"],
        p_holm=[None if p is None else next(adjusted) for p in p_values],
        levels=levels,
        paired=any(len(group.places) > 1 for group in paired),
        data=embedded_json(
            {
                "metric": label(metric),
                "system": system,
                "settings": list(shown.items()),
                "best": None if best is None else every.index(best),
                "against": None if reference is None else every.index(reference),
                "jobs": [
                    {
                        "name": name,
                        "href": link,
                        "settings": [job.setting(key) for key in keys],
                        "dev": _figure(job.on_dev(system, metric), job.dev_interval(system, metric)),
                        "test": _figure(job.figure(system, metric), job.interval(system, metric)),
                        "cost": job.built_seconds,
                    }
                    for name, job, link in zip(names, jobs, links, strict=True)
                ],
                "paired": [_pairs(group) for group in paired],
                "words": comparison_words(),
            }
        ),
    )


def _runner_up(
    best: Job | None, ranked: Sequence[int], jobs: Sequence[Job], paired: Sequence[Paired]
) -> tuple[int, str] | None:
    """The second best job on dev: its place, and a sentence on what the best one gains on it on test.

    None where dev chooses no job.
    """
    if best is None:
        return None
    winner, second = jobs.index(best), ranked[1]
    group = next((group for group in paired if {winner, second} <= set(group.places)), None)
    if group is None:
        return second, runner_up_sentence(None, 0)
    others = group.against(winner)
    low, high = others[second].ci95
    turned = replace(others[second], delta=-others[second].delta + 0.0, ci95=(-high + 0.0, -low + 0.0))
    return second, runner_up_sentence(turned, len(others))


def _pairs(group: Paired) -> dict[str, object]:
    """What the page's script works on: the places of jobs, and the upper triangle of their differences, row by row."""
    pairs = group.pairs
    return {
        "jobs": group.places,
        "delta": [round(value, 5) + 0.0 for value in pairs.delta.tolist()],
        "half": [round(value, 5) for value in pairs.half.tolist()],
        "p": [float(f"{value:.3g}") for value in pairs.p_value.tolist()],
    }


def _figure(value: float | None, ends: tuple[float, float] | None) -> list[float] | None:
    """Value, low and high end; None where there is no value."""
    if value is None:
        return None
    return [round(figure, 5) for figure in (value, *(ends or (value, value)))]


def _link(job: Job, page: Path) -> str | None:
    """The job's report as seen from the page's folder, so that links hold when a sweep is moved; None where there is none."""
    report = job.folder.resolve() / "report.html"
    if not report.is_file():
        return None
    try:
        way = Path(os.path.relpath(report, page.resolve().parent))
    except ValueError:  # another drive of Windows
        return report.as_uri()
    # "./" keeps a folder named "javascript:..." a folder.
    return quote(f"./{way.as_posix()}", errors="surrogateescape")


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    texts = [(_VEGA / name).read_text(encoding="utf-8") for name in _SCRIPTS]
    # Maps of sources lie beside files on a server, and nothing in a script may end its element.
    code = "\n".join(text.partition("//# sourceMappingURL=")[0] for text in texts).replace("</script", r"<\/script")
    return f"/*\n{(_VEGA / 'LICENSES.txt').read_text(encoding='utf-8')}*/\n{code}"


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
