"""Thoughts of a model before, behind and within its reply: none of them becomes a question."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embft.questions.parsing import parse_reply
from embft.questions.thoughts import without_thoughts

TWO = ("Why does the water rise?", "How long does the ebb last?")
PLAIN = f"1. {TWO[0]}\n2. {TWO[1]}"
THOUGHTS = {
    "tags": f"<think>\nTwo are wanted. What would one ask?\n1. A draft?\n</think>\n\n{PLAIN}",
    "no opening tag": f"Okay, two are wanted. Short or long?\nShort.\n</think>\n\n{PLAIN}",
    "no opening tag, no full stop": f"Is it short or long?\nI keep it short</think>\n{PLAIN}",
    "one line": f"<think>Is it? Yes.</think>{PLAIN}",
    "another name": f"<thinking>What do they ask?</thinking>\n{PLAIN}",
    "reasoning": f"<reasoning>What do they ask?</reasoning>\n{PLAIN}",
    "square brackets": f"[THINK]What do they ask?[/THINK]{PLAIN}",
    "special tokens": f"<|begin_of_thought|>What?<|end_of_thought|>\n<|begin_of_solution|>\n{PLAIN}\n<|end_of_solution|>",
    "start and end": f"<|START_THINKING|>What?<|END_THINKING|><|START_RESPONSE|>{PLAIN}<|END_RESPONSE|>",
    "seed": f"<seed:think>Which ones?</seed:think>{PLAIN}",
    "diamonds": f"◁think▷Which ones?◁/think▷{PLAIN}",
    "escaped": f"&lt;think&gt;Which ones?&lt;/think&gt;\n{PLAIN}",
    "nested": f"<think>Which? <think>This one?</think> No?</think>\n{PLAIN}",
    "twice": f"<think>Which?</think>\n1. {TWO[0]}\n<think>And then?</think>\n2. {TWO[1]}",
    "after the answer": f"{PLAIN}\n<think>Are they good?</think>",
    "json behind": f"<think>['a draft?']</think>\n{json.dumps(TWO)}",
    "answer tags": f"<think>Which?</think><answer>{PLAIN}</answer>",
    "channels": f"<|channel|>analysis<|message|>Which?<|end|><|start|>assistant<|channel|>final<|message|>{PLAIN}<|return|>",
    "channels without marks": f"analysisWe need two questions. Which?assistantfinal{PLAIN}",
    "left over": f"{PLAIN}<|im_end|></s>",
}


@pytest.mark.parametrize("reply", THOUGHTS.values(), ids=THOUGHTS.keys())
def test_thoughts_are_cut_whatever_their_tags(reply: str) -> None:
    assert parse_reply(reply, 2).questions == TWO


@pytest.mark.parametrize(
    "reply",
    [
        "<think>\nWhich?\n1. A draft?\n2. Another?",
        "<|channel|>analysis<|message|>Which? 1. A draft?",
        "[THINK]a draft?",
    ],
)
def test_a_thought_without_an_end_leaves_nothing(reply: str) -> None:
    assert parse_reply(reply, 2).questions == ()


def test_a_tag_within_a_question_is_a_word() -> None:
    lines = ("What does the `<think>` tag do?", "Why does it print <think> and </think>?")
    assert parse_reply("\n".join(lines), 2).questions == lines


@given(
    st.text(alphabet="ab?\n 1.", max_size=40),
    st.sampled_from(["think", "thinking", "thought", "reasoning", "scratchpad"]),
)
def test_nothing_of_a_thought_is_left(thought: str, name: str) -> None:
    assert parse_reply(f"<{name}>{thought}</{name}>\n{PLAIN}", 2).questions == TWO
    assert parse_reply(f"{thought}\n</{name}>\n{PLAIN}", 2).questions == TWO


@given(st.text(max_size=60))
def test_a_text_without_tags_keeps_its_lines(text: str) -> None:
    if not set(text) & set("<[◁&") and "assistantfinal" not in text and not text.lstrip().startswith("analysis"):
        assert without_thoughts(text) == text
