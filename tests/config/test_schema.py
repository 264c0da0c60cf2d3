from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from embft.config import GROUPS, register
from embft.config.command_line import as_config, command_line_problems
from embft.config.problems import problems

CONFIGS = Path(__file__).parents[2] / "configs"
register()

NEEDS = {
    "corpus=files": ["corpus.path=x.pdf"],
    "corpus=chunks": ["corpus.path=x.csv"],
    "dataset=llama_index": ["dataset.train=a.json", "dataset.test=b.json"],
    "dataset=beir": ["dataset.path=folder"],
    "training=none": ["evaluation=base_only"],
    "model=openai": ["training=adapter"],
    "evaluation=base_only": ["training=none"],
    "questions/filters=llm": ["questions=openai"],
    "experiment=nvidia_10k_published": ["dataset.train=a.json", "dataset.test=b.json"],
}


def composed(*overrides: str):
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return as_config(compose("config", overrides=list(overrides)))


@pytest.mark.parametrize(
    "choice",
    sorted(
        f"{path.parent.relative_to(CONFIGS).as_posix()}={path.stem}"
        for path in CONFIGS.rglob("*/*.yaml")
        if path.relative_to(CONFIGS).parts[0] != "hydra"  # see test_plugins.py
    ),
    ids=str,
)
def test_every_config_file_composes_and_is_possible(choice):
    assert problems(composed(*NEEDS.get(choice, []), choice)) == []


@pytest.mark.parametrize("kind", ["auto", "headings", "llm"])
def test_a_beir_folder_has_titles_alone(kind):
    config = composed("dataset=beir", "dataset.path=x", f"corpus.context={kind}")
    assert f"corpus.context={kind}: a BEIR folder has titles alone: take title, or none." in problems(config)


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_a_folder_and_files_say_their_own_name(group):
    files = sorted((CONFIGS / group).glob("*.yaml"))
    assert files
    for path in files:
        assert f"name: {path.stem}\n" in path.read_text(encoding="utf-8")


def test_the_contract_s_choices_exist():
    for choice in (
        "model=minilm", "model=bge_small", "model=bge_base", "model=bge_large", "model=e5_small",
        "corpus=python_reference", "corpus=nvidia_10k", "questions=extractive", "questions=openai",
        "questions=local_llm", "dataset=generated", "retrieval=windows", "retrieval=truncate", "tracking=wandb",
        "tracking=local", "experiment=nvidia_10k",
    ):  # fmt: skip
        composed(choice)
    assert composed("model=bge_small").model.id == "BAAI/bge-small-en"
    assert composed("model=bge_base").model.id == "BAAI/bge-base-zh-v1.5"
    assert composed("model=bge_large").model.id == "BAAI/bge-large-zh-v1.5"
    assert composed("model=e5_small").model.query_prompt == "query: "


def test_all_problems_of_a_command_line_come_at_once_in_plain_words():
    found = command_line_problems(
        [
            "model=bge_smal",
            "model.max_seq_lenght=3",
            "training.epochs=abc",
            "+model.foo=3",
            "retrieval.mode=window",
            "evaluation.systems=[bm25,tunedd]",
            "dataset.dev_fraction=0.9",
        ],
        CONFIGS,
    )
    text = "\n".join(found)
    assert "model=bge_smal is unknown. Did you mean 'bge_small'?" in text
    assert "model.max_seq_lenght is unknown. Did you mean 'model.max_seq_length'?" in text
    assert "training.epochs=abc" in text
    assert "'abc' of type 'str' could not be converted to Integer" in text
    assert "model.foo is unknown." in text
    assert "retrieval.mode=window is unknown. Did you mean 'windows'?" in text
    assert "'tunedd' is unknown. Did you mean 'tuned'?" in text
    assert "dataset.dev_fraction=0.9 must be between 0 and 0.5." in text
    assert "provider=" not in text


def test_each_value_of_a_sweep_is_checked_before_any_job():
    found = command_line_problems(["model=minilm,bge_smal", "training.epochs=2,0,3", "seed=range(1,4)"], CONFIGS)
    assert any("bge_smal" in problem for problem in found)
    assert any("training.epochs=0" in problem for problem in found)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["corpus=files"], "corpus.path="),
        (["dataset=llama_index"], "dataset.train=FILE"),
        (["dataset=llama_index"], "dataset.test=FILE"),
        (["dataset=beir"], "dataset.path=DIR"),
        (["training=none", "evaluation.systems=[tuned]"], "leaves no tuned model"),
        (["retrieval.window_overlap=96"], "must be smaller than retrieval.window_tokens=96"),
        (["evaluation.objective=openai/ndcg@10"], "no system 'openai' is evaluated"),
        (
            ["training=none", "evaluation.objective=openai/ndcg@10"],
            "no system 'openai' is evaluated; it can be bm25/ndcg@10",
        ),
        (["evaluation.objective=tuned/ndgc@10"], "Did you mean 'ndcg@10'"),
        (["dataset.split=article"], "cuts by page number"),
        (["training.learning_rate=0"], "must be greater than 0"),
        (["model=openai"], "training=adapter, which maps its question vectors, or training=none evaluation=base_only"),
        (["model=openai", "training=lora"], "an API, whose weights cannot be tuned (training.part=lora)"),
        (["model=openai", "training=adapter", "model.path=x"], "model.path names weights"),
        (["model=openai", "training=adapter", "model.id=a/b"], "model.id names weights"),
        (["model=openai", "training=adapter", "model.package=x"], "model.package names weights"),
        (["model=openai", "training=adapter", "model.max_seq_length=64"], "model.endpoint.max_tokens"),
        (["model=openai", "training=adapter", "retrieval.precision=bf16"], "an API decides that itself"),
        (["model=openai", "training=adapter", "training.average=0.5"], "leave out training.average"),
        (["training.learn_from=windows", "training.negatives=2"], "asks no questions"),
        (["training=adapter", "training.average=0.5"], "leave out training.average"),
        (["training=adapter", "training.whitening=0.5"], "leave out training.whitening"),
        (["training=matryoshka", "training.whitening=0.5"], "leave one of them out"),
        (["training.whitening=1.5"], "must be between 0 and 1"),
        (["retrieval=late", "training=adapter"], "leave one of them out"),
        (["retrieval=late", "training.whitening=0.2"], "retrieval.mode=late has one per token"),
        (["retrieval=late", "training.attention=flash_attention_2"], "take sdpa"),
        (["retrieval=late", "model=openai", "training=none"], "model=openai gives one per text"),
        (["retrieval.bm25_pairs=-1"], "must be between 0 and 10"),
        (["training=adapter", "training.learn_from=windows"], "leave out training.learn_from"),
        (["model=openai", "training=adapter", "training.loss=gist"], "leave out training.loss"),
        (["model=openai", "training=adapter", "training.loss=distillation"], "leave out training.loss"),
        (["model=openai", "training=adapter", "model.endpoint.max_tokens=2"], "must be between 16 and"),
        (["model=openai", "training=adapter", "model.endpoint.base_url=http://me:pass@host/v1"], "name or password"),
        (["questions.per_chunk=0", "questions.human=null"], "leaves nothing to train on"),
    ],
)
def test_combinations_that_cannot_work_say_so(overrides, says):
    assert says in "\n".join(problems(composed(*overrides)))


def test_without_training_the_tuned_model_is_left_out():
    config = composed("training=none")
    assert problems(config) == []
    assert config.evaluation.systems == ["bm25", "base", "fused"]
    assert config.evaluation.objective == "base/ndcg@10"


def test_a_refit_without_training_is_refused_unless_another_job_trains():
    (sentence,) = command_line_problems(["training=none", "training.refit=true"], CONFIGS)
    assert sentence.startswith("training.refit is given and would not be used: it is read with training only.")
    assert command_line_problems(["training=none,default", "training.refit=true"], CONFIGS) == []


def test_an_api_may_be_left_as_it_is():
    assert problems(composed("model=openai", "training=none", "evaluation=base_only")) == []


def test_a_typo_in_an_endpoint_is_named():
    (found,) = command_line_problems(["model=openai", "training=adapter", "model.endpoint.modle=x"], CONFIGS)
    assert "Did you mean 'model.endpoint.model'?" in found


def test_the_default_experiment_has_no_problem():
    assert problems(composed()) == []
