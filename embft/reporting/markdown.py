"""report.md: the report in short, for a pull request or an issue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embft.evaluation.names import label
from embft.files import write_text
from embft.records import HELD_OUT_FOLDER, MODEL_FOLDER
from embft.reporting.audit_phrases import (
    audit_name,
    clean_sentence,
    cost_markdown,
    example_rows,
    finding_sentences,
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
from embft.wording import counted, joined, retold, say


def write_markdown(path: Path, outcome: Outcome) -> None:
    """Writes report.md."""
    write_text(path, render_markdown(outcome))


def render_markdown(outcome: Outcome) -> str:
    """The report as Markdown."""
    verdict, experiment = outcome.verdict, outcome.experiment
    lines = [f"# {plain(verdict.headline)}", "", *(f"- {plain(reason)}" for reason in verdict.reasons), ""]
    lines += [plain(test_questions(outcome)) + say("."), "", systems_table(outcome), ""]
    if spread := seeds_sentence(outcome):
        lines += [spread, ""]
    lines += [f"- {sentence(row)}" for row in comparisons_of(outcome, verdict.metric)]
    lines += ["", *power_sentences(outcome)]
    lines += ["", f"## {say('Chunks that nobody judged')}", "", *judged_markdown(outcome)]
    lines += ["", f"## {say('Audits')}", ""]
    for finding in outcome.audits.findings:
        found = plain(finding_sentences(finding))
        lines.append(say("- {audit}: {found}", audit=audit_name(finding.audit), found=found))
        if finding.audit == "quotes":
            lines += [f"  - {plain(_example(rows))}" for rows in example_rows(finding)]
    if clean := clean_sentence(outcome):
        lines.append(f"- {clean}")
    if table := slice_markdown(outcome):
        lines += ["", f"## {say('Slices')}", "", *table]
    lines += ["", f"## {say('Costs')}", "", *cost_markdown(outcome)]
    if outcome.notes:
        notes = (
            say("- {level}: {note}", level=retold(note.level), note=plain(retold(note.text))) for note in outcome.notes
        )
        lines += ["", f"## {say('Notes')}", "", *notes]
    if outcome.tuned:
        training = outcome.tuned.report
        trained = [training_sentence(training), learned_sentence(training), *refit_sentences(outcome)]
        lines += ["", f"## {say('Training')}", "", joined(trained)]
    if fusion := outcome.fusion:
        late = say(" and {share:g} of its token vectors", share=fusion.late) if fusion.late else ""
        mix = say(
            "Fusion: weight {share:g} of {dense}{late}, the rest BM25; chosen on dev.",
            share=fusion.weight,
            dense=fusion.dense,
            late=late,
        )
        lines += ["", mix]
    if reranking := outcome.reranking:
        mix = say(
            "Reranker: weight {share:g} of {reranker}, the rest the fusion's; {how}.",
            share=reranking.weight,
            reranker=retold(reranking.reranker),
            how=say("chosen on dev") if reranking.chosen else say("not chosen on dev"),
        )
        lines += ["", mix]
    lines += ["", f"## {say('How to reproduce')}", "", fenced(experiment.command), ""]
    lines += [
        versions_sentence(outcome),
        "",
        f"| {say('setting')} | |",
        "| --- | --- |",
        *(f"| {plain(name)} | {plain(value)} |" for name, value in settings_rows(outcome)),
        "",
        f"| {say('stage')} | {say('seconds')} | |",
        "| --- | ---: | --- |",
        *(f"| {name} | {seconds:.1f} | {origin} |" for name, seconds, origin in timing_rows(outcome)),
    ]
    return "\n".join(lines) + "\n"


def systems_table(outcome: Outcome) -> str:
    """Systems by metric, with 95% intervals, as a Markdown table."""
    shown = [*headline_metrics(outcome), *(name for name in answer_metrics(outcome) if name == "answer@1024")]
    lines = [
        f"| {say('system')} | " + " | ".join(label(name) for name in shown) + " | |",
        "| --- | " + " | ".join("---" for _ in shown) + " | --- |",
    ]
    for system, result in outcome.evaluated.systems.items():
        cells = [f"{number(result.means[name])} {interval(result.intervals[name])}" for name in shown]
        lines.append(f"| {system} | " + " | ".join(cells) + f" | {plain(retold(result.description))} |")
    return "\n".join(lines)


def versions_sentence(outcome: Outcome) -> str:
    """Which code ran where."""
    experiment = outcome.experiment
    return say(
        "embft {version}, commit {commit}, Python {python}, {platform}, seed {seed}.",
        version=experiment.embft_version,
        commit=experiment.commit or say("unknown"),
        python=experiment.python,
        platform=experiment.platform,
        seed=experiment.seed,
    )


def _example(rows: Sequence[tuple[str, str]]) -> str:
    return say("; ").join(say("{name}: {text}", name=name, text=text) for name, text in rows)


def training_sentence(training: TrainingReport) -> str:
    """Which epoch was kept, and what it took."""
    spent = say(
        "{s:.1f} s on {device} in {precision}",
        s=training.seconds,
        device=training.device,
        precision=training.precision,
    )
    if training.kept_base:
        return say("On dev the fine-tune did harm, so the base model was kept; {spent}.", spent=spent)
    kept = say(
        "Epoch {best} of {epochs} was kept; {spent}.", best=training.best_epoch, epochs=training.epochs, spent=spent
    )
    return joined([kept, stop_sentence(training), whitening_sentence(training)])


def refit_sentences(outcome: Outcome) -> list[str]:
    """Whose the figures are, where the model that ships was trained on everything afterwards."""
    refitted = outcome.refitted
    if refitted is None:
        return []
    report = refitted.report
    learned = say(
        "all {questions:,} questions about {chunks:,} chunks, those of dev and test included",
        questions=report.questions,
        chunks=report.chunks,
    )
    if report.learned_from == "windows":
        every = say("those that answer dev and test questions included")
        which = say("drawn from all") if _is_drawn(report) else every
        learned = say("windows of {chunks:,} chunks, {which}", chunks=report.chunks, which=which)
    return [
        say(
            "All figures are those of the model in {held_out}/, which saw no dev or test question. The one to ship is in "
            "{model}/: trained afterwards from the base model, by the same recipe, on {learned} ({epochs}, {s:.1f} s). It has "
            "no figures of its own, because no question is left to test it.",
            held_out=HELD_OUT_FOLDER,
            model=MODEL_FOLDER,
            learned=learned,
            epochs=counted(report.epochs, "{n} epoch", "{n} epochs"),
            s=report.seconds,
        )
    ]


def learned_sentence(training: TrainingReport) -> str:
    """What stood in the batches where it was not the questions; else empty."""
    if training.learned_from != "windows":
        return ""
    sentence = say("It learned from windows of the train chunks that ask for their neighbours, not from the questions.")
    if not _is_drawn(training):
        return sentence
    drawn = say("{chunks:,} of these chunks were drawn (training.window_chunks).", chunks=training.chunks)
    return joined([sentence, drawn])


def _is_drawn(training: TrainingReport) -> bool:
    """Whether there were more chunks than were learned from."""
    return training.learned_from == "windows" and training.chunks == training.settings.get("window_chunks")


def stop_sentence(training: TrainingReport) -> str:
    """After which epoch patience ended it; empty where it ran to its end."""
    if training.last_epoch == training.epochs:
        return ""
    return say(
        "It stopped after epoch {last}: on dev none was better than the best for {patience}.",
        last=training.last_epoch,
        patience=training.settings["patience"],
    )


def whitening_sentence(training: TrainingReport) -> str:
    """Whether its vectors are whitened, or why not; empty where that was not asked for."""
    whitening = training.whitening
    if whitening is None:
        return ""
    if whitening.left_out == "few":
        return say(
            "Its vectors were not whitened: {passages:,} train passages are too few for that.",
            passages=whitening.passages,
        )
    if whitening.left_out == "alike":
        return say("Its vectors were not whitened: they are so alike that whitening would show rounding.")
    on_dev = ""
    if whitening.dev:
        on_dev = say(
            "; {metric} on dev {without} without it, {whitened} with it",
            metric=label(str(training.settings["select_by"])),
            without=number(whitening.dev["without"]),
            whitened=number(whitening.dev["with"]),
        )
    if whitening.left_out == "harm":
        return say("Whitening its vectors did harm and was left out{on_dev}.", on_dev=on_dev)
    return say(
        "A last layer whitens its vectors by those of {passages:,} train passages (strength {strength:g}{on_dev}).",
        passages=whitening.passages,
        strength=whitening.strength,
        on_dev=on_dev,
    )
