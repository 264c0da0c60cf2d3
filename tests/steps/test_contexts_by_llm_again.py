"""Stage ``context`` with an LLM: what failed is asked for once more, and a changed prompt is another stage."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir

from embft.config import register
from embft.config.command_line import as_config
from embft.corpus.reading import ReadingReport
from embft.questions import contexts
from embft.records import Chunk, Page
from embft.results import Corpus
from embft.stages import StageResult
from embft.steps.context import add_contexts
from embft.steps.workspace import Workspace

sys.path.append(str(Path(__file__).parents[1] / "questions"))
from loopback import Answer, serving

CONFIGS = str(Path(__file__).parents[2] / "configs")
register()
TEXTS = [f"Passage number {place} says that sales rose." for place in range(4)]
PAGES = [Page("a.pdf", place, text, "Annual report") for place, text in enumerate(TEXTS)]
CHUNKS = [Chunk(f"c{place}", text, "a.pdf", place, 0, len(text)) for place, text in enumerate(TEXTS)]


def test_failed_requests_are_repeated_at_the_next_start_and_the_prompt_is_in_the_key(
    tmp_path: Path, monkeypatch: Any
) -> None:
    overrides = ["corpus.context=llm", "questions=openai", "questions.api_key_env=null", "questions.max_retries=0"]
    fails = {TEXTS[2]}

    def answer(passage: str, body: Any) -> Any:
        asked = body["messages"][0]["content"].split("<passage>\n")[1].split("\n</passage>")[0]
        return Answer(status=400) if asked in fails else Answer(f"It is about {asked[:16]}.")

    corpus = StageResult(Corpus(PAGES, CHUNKS, ReadingReport(1, 4, 100)), "key", tmp_path, 0.0, 0.0, False)
    with serving(answer) as (url, log):
        with initialize_config_dir(CONFIGS, version_base="1.3"):
            config = as_config(compose("config", overrides=[*overrides, f"questions.base_url={url}"]))
        workspace = Workspace(config, tmp_path / "cache")
        first = add_contexts(workspace, corpus, "llm")
        assert first.value.chunks[2].context == "Annual report"
        fails.clear()
        asked = len(log)
        again = add_contexts(workspace, corpus, "llm")
        assert again.value.chunks[2].context == "It is about Passage number 2."
        assert len(log) == asked + 1  # the others never
        monkeypatch.setattr(contexts, "prompt_texts", lambda: ("Say more.\n<passage>\n{chunk}\n</passage>", None))
        assert add_contexts(workspace, corpus, "llm").key not in {first.key, again.key}
