import torch

from embft.training.batching import ByChunkCollator, label_matrix
from embft.training.examples import ChunkExample
from embft.training.loss import ranking_loss


def example(chunk_id: str, questions: int, passages: int = 1, targets=None, also=()) -> ChunkExample:
    return ChunkExample(
        chunk_id,
        tuple(f"{chunk_id} question {n}" for n in range(questions)),
        tuple(f"{chunk_id} passage {n}" for n in range(passages)),
        tuple(targets or [0] * questions),
        tuple(frozenset({chunk_id, *also}) for _ in range(questions)),
    )


def test_two_questions_of_one_chunk_are_never_negatives():
    labels = label_matrix([example("a", 2), example("b", 1)])
    assert labels.tolist() == [[1, 0], [1, 0], [0, 1]]


def test_another_window_of_the_same_chunk_is_left_out():
    labels = label_matrix([example("a", 2, passages=2, targets=[0, 1]), example("b", 1)])
    assert labels.tolist() == [[1, -1, 0], [-1, 1, 0], [0, 0, 1]]


def test_another_relevant_chunk_is_left_out():
    labels = label_matrix([example("a", 1, also=["b"]), example("b", 1)])
    assert labels.tolist() == [[1, -1], [0, 1]]


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
    assert batch["label"].shape == (5, 2)


def test_the_loss_is_that_of_sentence_transformers_where_each_chunk_has_one_question():
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    class Echo(torch.nn.Module):
        def forward(self, features):
            return {"sentence_embedding": features["vector"]}

    generator = torch.Generator().manual_seed(0)
    questions, passages = (torch.randn(6, 8, generator=generator) for _ in range(2))
    theirs = MultipleNegativesRankingLoss(Echo(), scale=20.0)([{"vector": questions}, {"vector": passages}], None)
    labels = torch.from_numpy(label_matrix([example(str(n), 1) for n in range(6)]))
    normalize = torch.nn.functional.normalize
    ours = ranking_loss(normalize(questions, dim=-1), normalize(passages, dim=-1), labels, 0.05)
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_what_is_left_out_gets_no_gradient():
    questions = torch.eye(2, requires_grad=True)
    passages = torch.eye(3)[:, :2].clone().requires_grad_()
    labels = torch.tensor([[1, -1, 0], [0, 1, 0]])
    ranking_loss(questions[:1], passages, labels[:1], 0.05).backward()
    assert passages.grad is not None
    assert passages.grad[1].abs().sum() == 0
    assert passages.grad[2].abs().sum() > 0
