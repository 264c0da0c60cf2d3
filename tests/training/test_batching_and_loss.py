import numpy as np
import pytest
import torch

from embft.config.training import TrainingConfig
from embft.reporting.card import LOSSES
from embft.training.batching import ByChunkCollator
from embft.training.examples import ChunkExample
from embft.training.gradcache import pieces_of
from embft.training.loss import ByChunkLoss
from embft.training.objectives import OBJECTIVES, Step, objective

normalize = torch.nn.functional.normalize


def example(chunk_id: str, questions: int, passages: int = 1, targets=None, also=()) -> ChunkExample:
    return ChunkExample(
        chunk_id,
        tuple(f"{chunk_id} question {n}" for n in range(questions)),
        tuple(f"{chunk_id} passage {n}" for n in range(passages)),
        (chunk_id,) * passages,
        tuple(targets or [0] * questions),
        tuple(frozenset({chunk_id, *also}) for _ in range(questions)),
    )


class Echo(torch.nn.Module):
    """A model whose vectors are its inputs, times a weight of 1."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, features):
        return {"sentence_embedding": features["vector"] * self.weight}


def vectors_of(texts: list[str]) -> torch.Tensor:
    """Random vectors, the same for the same text."""
    seeds = [sum(map(ord, text)) * 31 + len(text) for text in texts]
    return torch.stack([torch.randn(8, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def batch_of(*examples: ChunkExample, **advisers):
    def preprocess(texts, prompt=None):
        return {"input_ids": torch.ones(len(texts), 3), "vector": vectors_of(texts)}

    features = ByChunkCollator(examples, preprocess, "", "", **advisers)([{"example": n} for n in range(len(examples))])
    sides = [
        {key.removeprefix(name): value for key, value in features.items() if key.startswith(name)}
        for name in ("question_", "passage_")
    ]
    return sides, features["label"]


def kinds(*examples: ChunkExample) -> list[list[int]]:
    """What each passage is to each question, as the loss sees it: 1 positive, 0 negative, -1 left out."""
    seen: list[Step] = []
    OBJECTIVES["spy"] = lambda step, config: seen.append(step) or step.cosines.sum()
    try:
        ByChunkLoss(Echo(), TrainingConfig(loss="spy"))(*batch_of(*examples))
    finally:
        del OBJECTIVES["spy"]
    (step,) = seen
    found = torch.where(step.negative, 0, -1)
    return found.scatter(1, step.positive[:, None], 1).tolist()


def test_two_questions_of_one_chunk_are_never_negatives():
    assert kinds(example("a", 2), example("b", 1)) == [[1, 0], [1, 0], [0, 1]]


def test_another_window_of_the_same_chunk_is_left_out():
    found = kinds(example("a", 2, passages=2, targets=[0, 1]), example("b", 1))
    assert found == [[1, -1, 0], [-1, 1, 0], [0, 0, 1]]


def test_another_relevant_chunk_is_left_out():
    assert kinds(example("a", 1, also=["b"]), example("b", 1)) == [[1, -1], [0, 1]]


def test_a_hard_negative_counts_for_all_but_the_questions_of_its_chunk():
    hard = ChunkExample("a", ("a?",), ("a", "from b"), ("a", "b"), (0,), (frozenset("a"),))
    assert kinds(hard, example("b", 1)) == [[1, 0, 0], [0, -1, 1]]


def test_each_passage_is_encoded_once_a_step():
    seen: list[tuple[list[str], str | None]] = []

    def preprocess(texts, prompt=None):
        seen.append((list(texts), prompt))
        return {"input_ids": torch.zeros(len(texts), 3)}

    collator = ByChunkCollator([example("a", 2), example("b", 3)], preprocess, "query: ", "passage: ")
    batch = collator([{"example": 1}, {"example": 0}])
    assert seen[0][1] == "query: "
    assert seen[1] == (["b passage 0", "a passage 0"], "passage: ")
    assert batch["question_input_ids"].shape == (5, 3)
    assert batch["passage_input_ids"].shape == (2, 3)
    assert batch["label"].tolist() == [[0, 1], [0, 1], [0, 1], [1, 0], [1, 0]]
    assert batch["passage_chunk"].tolist() == [1, 0]


def theirs(loss, questions, passages):
    return loss([{"vector": questions}, {"vector": passages}], None)


def test_the_loss_is_that_of_sentence_transformers_where_each_chunk_has_one_question():
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    sides, labels = batch_of(*(example(str(n), 1) for n in range(6)))
    questions, passages = (side["vector"] for side in sides)
    ours = ByChunkLoss(Echo(), TrainingConfig())(sides, labels)
    assert torch.allclose(
        ours, theirs(MultipleNegativesRankingLoss(Echo(), scale=20.0), questions, passages), atol=1e-6
    )


def test_both_directions_are_those_of_sentence_transformers():
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesSymmetricRankingLoss

    sides, labels = batch_of(*(example(str(n), 1) for n in range(6)))
    questions, passages = (side["vector"] for side in sides)
    ours = ByChunkLoss(Echo(), TrainingConfig(symmetric=True))(sides, labels)
    expected = theirs(MultipleNegativesSymmetricRankingLoss(Echo(), scale=20.0), questions, passages)
    assert torch.allclose(ours, expected, atol=1e-6)


def step(cosines, positive, negative, **rest) -> Step:
    return Step(torch.tensor(cosines), torch.tensor(positive), torch.tensor(negative), **rest)


def test_what_is_left_out_gets_no_gradient():
    cosines = torch.tensor([[0.9, 0.8, 0.1]], requires_grad=True)
    objective(Step(cosines, torch.tensor([0]), torch.tensor([[False, False, True]])), TrainingConfig()).backward()
    assert cosines.grad is not None
    assert cosines.grad[0, 1] == 0
    assert cosines.grad[0, 2] > 0


def test_hardness_lets_close_negatives_count_for_more():
    shares = []
    for hardness in (0.0, 9.0):
        cosines = torch.tensor([[0.5, 0.4, 0.1]], requires_grad=True)
        found = Step(cosines, torch.tensor([0]), torch.tensor([[False, True, True]]))
        objective(found, TrainingConfig(hardness=hardness, temperature=0.5)).backward()
        assert cosines.grad is not None
        shares.append(float(cosines.grad[0, 1] / cosines.grad[0, 2]))
    assert shares[1] > 5 * shares[0]


def test_gist_leaves_out_what_the_guide_finds_closer_than_the_positive():
    guide = torch.tensor([[0.5, 0.6, 0.4]])
    found = step([[0.5, 0.9, 0.1]], [0], [[False, True, True]], guide=guide)
    without = step([[0.5, 0.9, 0.1]], [0], [[False, False, True]])
    assert objective(found, TrainingConfig(loss="gist")) == objective(without, TrainingConfig())
    nothing = step([[0.5, 0.9, 0.1]], [0], [[False, False, False]])
    strict = TrainingConfig(loss="gist", guide_margin=0.2)
    assert objective(found, strict) == objective(nothing, TrainingConfig()) == 0


def test_distillation_is_smallest_at_the_teacher_s_opinion():
    config = TrainingConfig(loss="distillation", temperature=1.0)
    teacher = torch.tensor([[2.0, 1.0, -3.0]])

    def divergence(cosines):
        found = step([cosines], [0], [[False, True, True]], teacher=teacher)
        return 2 * objective(found, config) - OBJECTIVES["ranking"](found, config)

    assert abs(float(divergence([2.0, 1.0, -3.0]))) < 1e-6
    assert divergence([1.0, 2.0, -3.0]) > 0.1


def test_matryoshka_takes_the_loss_at_each_length():
    sides, labels = batch_of(*(example(str(n), 2) for n in range(4)))
    questions, passages = (side["vector"] for side in sides)

    def at(width):
        cut = [{**side, "vector": side["vector"][:, :width]} for side in sides]
        return ByChunkLoss(Echo(), TrainingConfig())(cut, labels)

    ours = ByChunkLoss(Echo(), TrainingConfig(matryoshka=[2, 4]))(sides, labels)
    assert torch.allclose(ours, (at(2) + at(4) + at(8)) / 3)
    assert questions.shape[1] == passages.shape[1] == 8


@pytest.mark.parametrize("loss", ["ranking", "gist", "distillation"])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_in_pieces_the_loss_and_its_gradient_are_the_same(loss, size):
    class Judge:
        def scores(self, questions, passages):
            return (vectors_of(list(questions)) @ vectors_of(list(passages)).T).numpy()

    def guide(questions, passages):
        return tuple(normalize(vectors_of(list(texts)), dim=-1).numpy() for texts in (questions, passages))

    advisers = {"gist": {"guide": guide}, "distillation": {"teacher": Judge()}}.get(loss, {})
    found = []
    for mini_batch in (0, size):
        model = torch.nn.Sequential()
        model.add_module("0", torch.nn.Linear(8, 5))
        torch.nn.init.normal_(model[0].weight, generator=torch.Generator().manual_seed(1))
        torch.nn.init.zeros_(model[0].bias)
        sides, labels = batch_of(*(example(str(n), 2) for n in range(4)), **advisers)

        class Wrapped(torch.nn.Module):
            def __init__(self, inner) -> None:
                super().__init__()
                self.inner = inner

            def forward(self, features):
                return {"sentence_embedding": self.inner(features["vector"])}

        config = TrainingConfig(loss=loss, mini_batch=mini_batch, matryoshka=[3], symmetric=loss != "distillation")
        value = ByChunkLoss(Wrapped(model), config)(sides, labels)
        (2 * value).backward()
        found.append((value.detach(), model[0].weight.grad.clone()))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-6)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-5)


def test_pieces_are_as_wide_as_their_longest_text():
    mask = torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0]])
    pieces = pieces_of({"input_ids": mask * 7, "attention_mask": mask, "modality": "text"}, 1)
    assert [piece["input_ids"].tolist() for piece in pieces] == [[[7, 7, 7]], [[7]], [[7, 7]]]
    assert all(piece["modality"] == "text" for piece in pieces)
    assert np.concatenate([piece["attention_mask"][0] for piece in pieces]).all()


def test_the_model_card_can_name_every_loss():
    assert set(LOSSES) == set(OBJECTIVES)
