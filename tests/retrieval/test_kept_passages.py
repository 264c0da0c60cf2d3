"""A corpus is cut into windows once, a block at a time."""

from embft.embedded_text import IndexedCorpus
from embft.retrieval.kept_passages import KeptPassages
from embft.retrieval.windows import cut_windows
from embft.text import tokens
from embft.text.tokens import spans, spans_in_blocks


def test_an_equal_corpus_is_cut_once_and_another_one_anew():
    kept, calls = KeptPassages(), []

    def windows(corpus: IndexedCorpus, by: str = "model"):
        def cut():
            calls.append(by)
            return cut_windows(corpus, lambda texts: [spans(text) for text in texts], 16, 4)

        return kept.get(corpus, (16, 4, by), cut)

    one = IndexedCorpus({"a": "one two three", "b": "four"})
    same = IndexedCorpus(dict(one.own))
    assert windows(one) is windows(same)
    assert len(calls) == 1
    turned = IndexedCorpus(dict(reversed(one.own.items())))
    assert turned.own == one.own, "equal mappings, of another order"
    assert windows(turned).chunk_ids == ("b", "a")
    assert windows(IndexedCorpus(one.own, {"a": "A title"})).texts[0].startswith("A title")
    windows(one, "another tokenizer")
    assert calls == ["model", "model", "model", "another tokenizer"]


def test_spans_are_asked_for_a_block_at_a_time(monkeypatch):
    monkeypatch.setattr(tokens, "_BLOCK", 2)
    sizes = []

    def token_spans(texts):
        sizes.append(len(texts))
        return [spans(text) for text in texts]

    texts = ["a b", "c", "", "d e f", "g"]
    assert list(spans_in_blocks(token_spans, texts)) == [spans(text) for text in texts]
    assert sizes == [2, 2, 1]
