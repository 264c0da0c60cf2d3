"""report.md: the report in short, for a pull request or an issue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embft.evaluation.names import label
from embft.files import write_text
from embft.reporting.audit_phrases import (
    audit_name,
    clean_sentence,
    cost_markdown,
    power_sentences,
    slice_markdown,
)
from embft.reporting.phrases import (
    comparisons_of,
    headline_metrics,
    interval,
    number,
    seeds_sentence,
    sentence,
    settings_rows,
    test_questions,
    timing_rows,
)


def write_markdown(path: Path, metrics: Mapping[str, Any]) -> None:
    """Writes report.md."""
    write_text(path, render_markdown(metrics))


def render_markdown(metrics: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    verdict, experiment, training = metrics["verdict"], metrics["experiment"], metrics["training"]
    lines = [f"# {plain(verdict['headline'])}", "", *(f"- {plain(reason)}" for reason in verdict["reasons"]), ""]
    lines += [f"{plain(test_questions(metrics))}.", "", systems_table(metrics), ""]
    if said := seeds_sentence(metrics):
        lines += [said, ""]
    lines += [f"- {sentence(row)}" for row in comparisons_of(metrics, verdict["metric"])]
    lines += ["", *power_sentences(metrics)]
    lines += ["", "## Audits", ""]
    for found in metrics["audits"]["findings"]:
        lines.append(f"- {audit_name(found['audit'])}: {plain(found['text'])} {plain(found['remedy'])}")
    if said := clean_sentence(metrics):
        lines.append(f"- {said}")
    if table := slice_markdown(metrics):
        lines += ["", "## Slices", "", *table]
    lines += ["", "## Costs", "", *cost_markdown(metrics)]
    if metrics["notes"]:
        lines += ["", "## Notes", "", *(f"- {note['level']}: {plain(note['text'])}" for note in metrics["notes"])]
    if training:
        lines += ["", "## Training", "", f"{training_sentence(training)}{learned_sentence(training)}"]
    if metrics["fusion"]:
        fusion = metrics["fusion"]
        lines += ["", f"Fusion: weight {fusion['weight']:g} of {fusion['dense']}, the rest BM25; chosen on dev."]
    lines += ["", "## How to reproduce", "", fenced(experiment["command"]), ""]
    lines += [
        f"embft {experiment['embft_version']}, commit {experiment['commit'] or 'unknown'}, Python {experiment['python']}, "
        f"{experiment['platform']}, seed {experiment['seed']}.",
        "",
        "| setting | |",
        "| --- | --- |",
        *(f"| {plain(name)} | {plain(value)} |" for name, value in settings_rows(metrics)),
        "",
        "| stage | seconds | |",
        "| --- | ---: | --- |",
        *(f"| {name} | {seconds:.1f} | {said} |" for name, seconds, said in timing_rows(metrics)),
    ]
    return "\n".join(lines) + "\n"


def systems_table(metrics: Mapping[str, Any]) -> str:
    """Systems by metric, with 95% intervals, as a Markdown table."""
    shown = headline_metrics(metrics)
    lines = [
        "| system | " + " | ".join(label(name) for name in shown) + " | |",
        "| --- | " + " | ".join("---" for _ in shown) + " | --- |",
    ]
    for system, figures in metrics["systems"].items():
        cells = [f"{number(figures[name])} {interval(figures['intervals'][name])}" for name in shown]
        lines.append(f"| {system} | " + " | ".join(cells) + f" | {plain(figures['description'])} |")
    return "\n".join(lines)


def training_sentence(training: Mapping[str, Any]) -> str:
    """Which epoch was kept, and what it took."""
    spent = f"{training['seconds']:.1f} s on {training['device']} in {training['precision']}"
    if training["best_epoch"] == 0:
        return f"On dev the fine-tune did harm, so the base model was kept; {spent}."
    return (
        f"Epoch {training['best_epoch']} of {training['epochs']} was kept; {spent}."
        f"{stop_sentence(training)}{merge_sentence(training)}{whitening_sentence(training)}"
    )


def learned_sentence(training: Mapping[str, Any]) -> str:
    """What stood in the batches where it was not the questions; else empty."""
    if training.get("learned_from") != "windows":
        return ""
    return " It learned from windows of the train chunks that ask for their neighbours, not from the questions."


def stop_sentence(training: Mapping[str, Any]) -> str:
    """After which epoch it was stopped for want of a better one; empty where it ran to its end."""
    last = training.get("last_epoch", training["epochs"])
    if last == training["epochs"]:
        return ""
    return (
        f" It stopped after epoch {last}: on dev none was better than the best for {training['settings']['patience']}."
    )


def merge_sentence(training: Mapping[str, Any]) -> str:
    """How the tuned weights were mixed with the base ones; empty where they were not."""
    merge = training.get("merge")
    if not merge or merge["alpha"] == 1:
        return ""
    return f" Its weights are {merge['alpha']:.0%} tuned and {1 - merge['alpha']:.0%} base, chosen on dev."


def whitening_sentence(training: Mapping[str, Any]) -> str:
    """Whether its vectors are whitened, or why not; empty where that was not asked for."""
    whitening = training.get("whitening")
    if not whitening:
        return ""
    if whitening["left_out"] == "few":
        return f" Its vectors were not whitened: {whitening['passages']:,} train passages are too few for that."
    found = ""
    if dev := whitening["dev"]:
        metric = label(training["settings"]["select_by"])
        found = f"; {metric} on dev {number(dev['without'])} without it, {number(dev['with'])} with it"
    if whitening["left_out"] == "harm":
        return f" Whitening its vectors did harm and was left out{found}."
    return (
        f" A last layer whitens its vectors by those of {whitening['passages']:,} train passages (strength "
        f"{whitening['strength']:g}{found})."
    )


def plain(text: object) -> str:
    """Text that Markdown shows as it is, on one line and inside a table's cell: no markup, no HTML, no column."""
    line = " ".join(str(text).split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*|\[\]])", r"\\\1", line)


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
