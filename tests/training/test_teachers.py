import numpy as np
import pytest

from embft.errors import TrainingError
from embft.training.examples import ChunkExample
from embft.training.teachers import CrossEncoderTeacher, FusedTeacher


def test_the_fused_teacher_likes_what_both_like():
    examples = [
        ChunkExample(name, (f"where is {name}",), (f"{name} is here",), (name,), (0,), (frozenset({name}),))
        for name in ("apple", "pear", "plum")
    ]

    def vectors(questions, passages):
        return np.eye(3, dtype=np.float32)[: len(questions)], np.eye(3, dtype=np.float32)[: len(passages)]

    passages = [example.passages[0] for example in examples]
    found = FusedTeacher(examples, vectors).scores(["where is apple", "where is pear"], passages)
    assert found.shape == (2, 3)
    assert found.argmax(1).tolist() == [0, 1]
    assert found.max() == 10
    assert found.min() == 0


@pytest.fixture
def cross_encoder(tmp_path):
    """A tiny random one; how many scores a pair it gives is its parameter."""
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    def save(labels: int):
        (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n")
        BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
        sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16, "num_hidden_layers": 1}
        BertForSequenceClassification(BertConfig(vocab_size=7, num_labels=labels, **sizes)).save_pretrained(tmp_path)
        return tmp_path

    return save


def test_a_cross_encoder_scores_each_pair_once(cross_encoder):
    teacher = CrossEncoderTeacher(cross_encoder(1), "cpu")
    found = teacher.scores(["a", "b"], ["a b", "b b", "a"])
    assert found.shape == (2, 3)
    assert len(np.unique(found)) > 1
    teacher._model.predict = None  # not asked again
    assert (teacher.scores(["b"], ["a b", "a"]) == found[1, [0, 2]]).all()


def test_what_is_no_cross_encoder_is_named(cross_encoder, tmp_path):
    with pytest.raises(TrainingError, match="gives 3 scores"):
        CrossEncoderTeacher(cross_encoder(3), "cpu").scores(["a"], ["b"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match="is no cross-encoder"):
        CrossEncoderTeacher(tmp_path / "empty", "cpu").scores(["a"], ["b"])
