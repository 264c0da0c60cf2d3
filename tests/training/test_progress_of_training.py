"""Embedding and training tell how far they are."""

from __future__ import annotations

from tiny import make_base, train

from embft import progress


def seen(monkeypatch):
    """Every piece of work that was begun."""
    begun = []
    original = progress.under_way

    def noted(work):
        begun.append(work)
        return original(work)

    monkeypatch.setattr(progress, "under_way", noted)
    monkeypatch.setattr("embft.training.finetune.under_way", noted)
    return begun


def test_embedding_counts_its_texts(tmp_path, monkeypatch):
    begun = seen(monkeypatch)
    base = make_base(tmp_path)
    texts = [f"w{number} w{number + 1}" for number in range(75)]
    base.question_vectors(texts)
    (work,) = begun
    assert (work.what, work.done, work.total, work.unit) == ("embedding", 75, 75, "texts")
    assert not base.encoder.model[0]._forward_hooks


def test_a_training_counts_its_steps_and_tells_its_loss(tmp_path, monkeypatch):
    begun = seen(monkeypatch)
    report = train(tmp_path, epochs=2).value.report
    (work,) = [one for one in begun if one.what == "training"]
    assert work.done == work.total == report.steps
    assert work.note.startswith("loss ")
