"""Attention of a training in bf16 on a processor: PyTorch's fused kernel, transformers' eager one, embft's; in turns.

    python benchmarks/bench_attention.py [--rounds 9] [--threads 1]

16 texts, a quarter of them shorter by a fifth, 12 heads of 32 as in all-MiniLM-L6-v2; seconds of a forward and a backward pass
under autocast.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from report import machine, write_result
from torch import Tensor
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.models.bert.modeling_bert import eager_attention_forward

from embft.training.attention import attend

TEXTS, HEADS, WIDTH = 16, 12, 32
KINDS: dict[str, Callable[..., tuple[Tensor, Tensor | None]]] = {
    "fused": sdpa_attention_forward,
    "eager": eager_attention_forward,
    "embft's": attend,
}


class Layer(torch.nn.Module):
    """What the functions ask of a layer."""

    is_causal = False


def main() -> int:
    """Times the kinds in turns and writes results/attention.md."""
    parser = argparse.ArgumentParser(description="Time attention in bf16.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lines = [
        "# Attention in bf16 on a processor",
        "",
        f"Milliseconds of a forward and a backward pass, {TEXTS} texts, {HEADS} heads of {WIDTH}, {options.threads} thread(s), "
        f"in turns, medians of {options.rounds}. {machine()}.",
        "",
        "| tokens | " + " | ".join(KINDS) + " | times faster than fused |",
        "| ---: |" + " ---: |" * (len(KINDS) + 1),
    ]
    for length in (32, 96, 128, 254, 384, 512):
        seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for number in range(options.rounds + 1):
            for kind in KINDS:
                spent = once(kind, length)
                if number:  # the first is for warming up
                    seconds[kind].append(spent)
        found = {kind: 1000 * statistics.median(values) for kind, values in seconds.items()}
        cells = " | ".join(f"{value:.1f}" for value in found.values())
        lines.append(f"| {length} | {cells} | {found['fused'] / found[list(KINDS)[-1]]:.1f} |")
    write_result("attention", "\n".join(lines))
    return 0


def once(kind: str, length: int) -> float:
    """Seconds of one pass there and back."""
    inputs = [torch.randn(TEXTS, HEADS, length, WIDTH, dtype=torch.bfloat16, requires_grad=True) for _ in range(3)]
    kept = torch.ones(TEXTS, 1, length, length, dtype=torch.bool)
    kept[: TEXTS // 4, :, :, length * 4 // 5 :] = False
    # transformers hands the eager kind a mask to add.
    mask = torch.zeros(kept.shape).masked_fill(~kept, torch.finfo(torch.bfloat16).min) if kind == "eager" else kept
    gradient = torch.randn(TEXTS, length, HEADS, WIDTH, dtype=torch.bfloat16)
    started = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = KINDS[kind](Layer(), *inputs, mask, scaling=WIDTH**-0.5)
    found.backward(gradient)
    return time.perf_counter() - started


if __name__ == "__main__":
    raise SystemExit(main())
