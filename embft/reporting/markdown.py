"""report.md: the report in short, for a pull request or an issue."""

from __future__ import annotations

from pathlib import Path

from embft.evaluation.names import label
from embft.files import write_text
from embft.records import HELD_OUT_FOLDER, MODEL_FOLDER
from embft.reporting.audit_phrases import (
    audit_name,
    clean_sentence,
    cost_markdown,
    power_sentences,
    slice_markdown,
)
from embft.reporting.judging_phrases import judged_markdown
from embft.reporting.markdown_text import fenced, plain
from embft.reporting.phrases import (
    answer_metrics,
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
from embft.results import Outcome
from embft.training.report import TrainingReport


def write_markdown(path: Path, outcome: Outcome) -> None:
    """Writes report.md."""
    write_text(path, render_markdown(outcome))


def render_markdown(outcome: Outcome) -> str:
    """The report as Markdown."""
    verdict, experiment = outcome.verdict, outcome.experiment
    lines = [f"# {plain(verdict.headline)}", "", *(f"- {plain(reason)}" for reason in verdict.reasons), ""]
    lines += [f"{plain(test_questions(outcome))}.", "", systems_table(outcome), ""]
    if spread := seeds_sentence(outcome):
        lines += [spread, ""]
    lines += [f"- {sentence(row)}" for row in comparisons_of(outcome, verdict.metric)]
    lines += ["", *power_sentences(outcome)]
    lines += ["", "## Chunks that nobody judged", "", *judged_markdown(outcome)]
    lines += ["", "## Audits", ""]
    for finding in outcome.audits.findings:
        lines.append(f"- {audit_name(finding.audit)}: {plain(finding.text)} {plain(finding.remedy)}")
        if finding.audit == "quotes":
            lines += [f"  - {plain('; '.join(map(': '.join, one.items())))}" for one in finding.examples]
    if clean := clean_sentence(outcome):
        lines.append(f"- {clean}")
    if table := slice_markdown(outcome):
        lines += ["", "## Slices", "", *table]
    lines += ["", "## Costs", "", *cost_markdown(outcome)]
    if outcome.notes:
        lines += ["", "## Notes", "", *(f"- {note.level}: {plain(note.text)}" for note in outcome.notes)]
    if outcome.tuned:
        training = outcome.tuned.report
        trained = [f"{training_sentence(training)}{learned_sentence(training)}", *refit_sentences(outcome)]
        lines += ["", "## Training", "", " ".join(trained)]
    if fusion := outcome.fusion:
        late = f" and {fusion.late:g} of its token vectors" if fusion.late else ""
        lines += ["", f"Fusion: weight {fusion.weight:g} of {fusion.dense}{late}, the rest BM25; chosen on dev."]
    if reranking := outcome.reranking:
        how = "chosen on dev" if reranking.chosen else "not chosen on dev"
        lines += ["", f"Reranker: weight {reranking.weight:g} of {reranking.reranker}, the rest the fusion's; {how}."]
    lines += ["", "## How to reproduce", "", fenced(experiment.command), ""]
    lines += [
        f"embft {experiment.embft_version}, commit {experiment.commit or 'unknown'}, Python {experiment.python}, "
        f"{experiment.platform}, seed {experiment.seed}.",
        "",
        "| setting | |",
        "| --- | --- |",
        *(f"| {plain(name)} | {plain(value)} |" for name, value in settings_rows(outcome)),
        "",
        "| stage | seconds | |",
        "| --- | ---: | --- |",
        *(f"| {name} | {seconds:.1f} | {origin} |" for name, seconds, origin in timing_rows(outcome)),
    ]
    return "\n".join(lines) + "\n"


def systems_table(outcome: Outcome) -> str:
    """Systems by metric, with 95% intervals, as a Markdown table."""
    shown = [*headline_metrics(outcome), *(name for name in answer_metrics(outcome) if name == "answer@1024")]
    lines = [
        "| system | " + " | ".join(label(name) for name in shown) + " | |",
        "| --- | " + " | ".join("---" for _ in shown) + " | --- |",
    ]
    for system, result in outcome.evaluated.systems.items():
        cells = [f"{number(result.means[name])} {interval(result.intervals[name])}" for name in shown]
        lines.append(f"| {system} | " + " | ".join(cells) + f" | {plain(result.description)} |")
    return "\n".join(lines)


def training_sentence(training: TrainingReport) -> str:
    """Which epoch was kept, and what it took."""
    spent = f"{training.seconds:.1f} s on {training.device} in {training.precision}"
    if training.kept_base:
        return f"On dev the fine-tune did harm, so the base model was kept; {spent}."
    return (
        f"Epoch {training.best_epoch} of {training.epochs} was kept; {spent}."
        f"{stop_sentence(training)}{whitening_sentence(training)}"
    )


def refit_sentences(outcome: Outcome) -> list[str]:
    """Whose the figures are, where the model that ships was trained on everything afterwards."""
    refitted = outcome.refitted
    if refitted is None:
        return []
    report = refitted.report
    learned = f"all {report.questions:,} questions about {report.chunks:,} chunks, those of dev and test included"
    if report.learned_from == "windows":
        which = "drawn from all" if _is_drawn(report) else "those that answer dev and test questions included"
        learned = f"windows of {report.chunks:,} chunks, {which}"
    return [
        f"All figures are those of the model in {HELD_OUT_FOLDER}/, which saw no dev or test question. The one to ship is in "
        f"{MODEL_FOLDER}/: trained afterwards from the base model, by the same recipe, on {learned} ({report.epochs} "
        f"{'epoch' if report.epochs == 1 else 'epochs'}, {report.seconds:.1f} s). It has no figures of its own, because no "
        "question is left to test it."
    ]


def learned_sentence(training: TrainingReport) -> str:
    """What stood in the batches where it was not the questions; else empty."""
    if training.learned_from != "windows":
        return ""
    sentence = " It learned from windows of the train chunks that ask for their neighbours, not from the questions."
    if not _is_drawn(training):
        return sentence
    return f"{sentence} {training.chunks:,} of these chunks were drawn (training.window_chunks)."


def _is_drawn(training: TrainingReport) -> bool:
    """Whether there were more chunks than were learned from."""
    return training.learned_from == "windows" and training.chunks == training.settings.get("window_chunks")


def stop_sentence(training: TrainingReport) -> str:
    """After which epoch patience ended it; empty where it ran to its end."""
    if training.last_epoch == training.epochs:
        return ""
    return (
        f" It stopped after epoch {training.last_epoch}: on dev none was better than the best for "
        f"{training.settings['patience']}."
    )


def whitening_sentence(training: TrainingReport) -> str:
    """Whether its vectors are whitened, or why not; empty where that was not asked for."""
    whitening = training.whitening
    if whitening is None:
        return ""
    if whitening.left_out == "few":
        return f" Its vectors were not whitened: {whitening.passages:,} train passages are too few for that."
    if whitening.left_out == "alike":
        return " Its vectors were not whitened: they are so alike that whitening would show rounding."
    on_dev = ""
    if whitening.dev:
        metric = label(str(training.settings["select_by"]))
        on_dev = (
            f"; {metric} on dev {number(whitening.dev['without'])} without it, {number(whitening.dev['with'])} with it"
        )
    if whitening.left_out == "harm":
        return f" Whitening its vectors did harm and was left out{on_dev}."
    return (
        f" A last layer whitens its vectors by those of {whitening.passages:,} train passages (strength "
        f"{whitening.strength:g}{on_dev})."
    )
