"""The schema of the group ``training``."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from embft.config.fields import DEV_METRICS, choice, number


@dataclass
class TrainingConfig:
    """The recipe of the fine-tune."""

    name: str = MISSING
    """What reports call the choice: the name of its file."""
    enabled: bool = True
    """Whether anything is trained."""
    epochs: int = number(1, 1, 1000)
    """Passes over the train questions."""
    batch_size: int = number(16, 2, 65536)
    """Chunks a step; each brings all its questions."""
    learning_rate: float = number(1e-4, above=0.0)
    """Highest learning rate."""
    warmup_ratio: float = number(0.1, 0.0, 1.0)
    """Share of the steps in which the learning rate rises to its highest."""
    schedule: str = choice("linear", "linear", "cosine", "constant_with_warmup")
    """How the learning rate falls after that."""
    weight_decay: float = number(0.01, 0.0)
    """AdamW's weight decay."""
    max_grad_norm: float = number(1.0, above=0.0)
    """Gradients longer than this are shortened to it."""
    temperature: float = number(0.05, above=0.0)
    """Softmax temperature of the loss; sentence-transformers calls its inverse scale (20)."""
    dropout: float | None = number(0.0, 0.0, 0.9)
    """Of every layer while training; null: as the model was pre-trained with. 0 learns more from few steps."""
    train_embeddings: bool = False
    """Train the token embeddings too: half of a small model's weights, and no gain was seen from it."""
    frozen_share: float | None = number(None, 0.0, 0.99)
    """Share of the transformer layers, from the bottom, that stay as they are; null: none with windows, half with truncated
    chunks. A frozen layer costs a fifth of a trained one."""
    learn_from: str = choice("auto", "auto", "questions", "windows")
    """The train questions; or windows of the train chunks, each of which asks for its neighbour. auto: windows where all train
    questions were cut out of the text, which teach a model to match words."""
    window_chunks: int | None = number(1600, 2)
    """Where windows are learned from: so many train chunks at most, a random draw; null: all."""
    positives: str = choice("beginning", "beginning", "window")
    """With truncated chunks: the chunk's beginning, which is what will be searched; or the stretch that a question is about, as
    long as the model reads, wherever it stands in the chunk."""
    hide_source: float = number(0.9, 0.0, 1.0)
    """Share of the questions cut out of a passage for which their sentence is taken out of it in training."""
    precision: str = choice("auto", "auto", "fp32", "bf16", "fp16")
    """auto: bf16 where the hardware multiplies it natively, else fp32."""
    attention: str = choice("auto", "auto", "eager", "sdpa", "flash_attention_2")
    """auto: transformers' choice; in bf16 on a processor, up to 320 tokens, embft's own, which is faster there."""
    device: str = choice("auto", "auto", "cpu", "cuda", "mps")
    """Where the model runs, in training and in search; auto: CUDA, then Apple's MPS, then the processor."""
    gradient_checkpointing: bool = False
    """Work activations out again instead of keeping them: less memory, a third more time."""
    compile: bool = False
    """torch.compile of the transformer: a minute or more, then faster steps. For long trainings, mostly on GPUs."""
    select_by: str = choice("ndcg@10", *DEV_METRICS)
    """The dev metric that picks the epoch."""
    dev_chunks: int = number(2000, 10)
    """Chunks searched after each epoch: the relevant ones and random others. What is reported searches all."""
    patience: int = number(0, 0)
    """Stop after so many epochs without a better one on dev; 0: never."""
    average: float = number(0.0, 0.0, 1.0)
    """The tuned model is the mean of the weights after the last steps, this share of all; 0: those of the last step.
    For a learning rate that stays where it is (training=averaged)."""
    whitening: float | None = number(None, 0.0, 1.0)
    """Give the tuned model a last layer that whitens its vectors, by those of the train chunks: 0 leaves it out, 1 makes all
    directions vary alike, null: .2 with windows, none with truncated chunks, an adapter or matryoshka."""
    checkpoint_steps: int = number(0, 0)
    """Also save a checkpoint to resume from every so many steps; 0: at the end of each epoch only."""
    seeds: int = number(1, 1, 100)
    """Train with so many seeds and report how far the results spread; the first one is the tuned model."""
    refit: bool = False
    """After the verdict, train once more by the same recipe on everything, test questions included: that model ships, the judged
    one is kept beside it."""
    part: str = choice("full", "full", "lora", "adapter")
    """What is trained: the model, low-rank updates of it, or a map of the question vectors alone."""
    lora_rank: int = number(16, 1, 1024)
    """Rank of the updates."""
    lora_alpha: int = number(32, 1, 4096)
    """The update is scaled by lora_alpha / lora_rank."""
    loss: str = choice("ranking", "ranking", "gist", "distillation")
    """What a question's scores should be like: its name in embft/training/objectives.py."""
    symmetric: bool = False
    """Also rank the questions of the step for each passage."""
    hardness: float = number(0.0, 0.0, 100.0)
    """Weigh negatives by exp(hardness x cosine): the closer, the more."""
    guide: str | None = None
    """loss=gist: folder of the model that judges negatives; null takes the base model."""
    guide_margin: float = number(0.0, -1.0, 1.0)
    """loss=gist: negatives that the guide scores above the positive less this margin are left out."""
    teacher: str = "fused"
    """loss=distillation: ``fused`` (BM25 and the base model), or the folder of a cross-encoder."""
    matryoshka: list[int] = field(default_factory=list)
    """Lengths to which vectors may later be cut; the loss is taken at each of them too."""
    mini_batch: int = number(0, 0)
    """Texts encoded at once within a step (GradCache): large steps in little memory; 0: the whole step."""
    negatives: int = number(0, 0, 100)
    """Hard negatives a question: passages of other chunks that the base model and BM25 put near it."""
    negative_margin: float = number(0.95, 0.0, 1.0)
    """A hard negative scores below this share of the positive: one above it may well be an answer too."""
