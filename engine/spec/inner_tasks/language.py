"""Character language models: by an LSTM, or a small transformer."""

from typing import Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from engine.spec.inner_tasks.inner_task import InnerTask, Shapes
from engine.spec.options import option

TextName = Literal["descriptions", "shakespeare", "austen", "penn_treebank"]

CHARACTERS = {"descriptions": 27, "shakespeare": 82, "austen": 81, "penn_treebank": 10_000}
"""Different characters of each text; Penn Treebank is taken word by word."""
FEW_WINDOWS = {"sequence": 3, "batch_size": 3, "validation_windows": 3, "inner_loss_windows": 3}


class LanguageTask(InnerTask):
    """Predict every character of a window from those before it, by cross-entropy.

    A window is read from an empty memory: nothing is known of the text before it.
    """

    text: TextName = "descriptions"
    """Text: scikit-learn's descriptions of its data sets need no download, Shakespeare and Austen
    one, and Penn Treebank, whose words are the characters, a folder of one's own."""
    sequence: int = option(32, ge=2, le=1024, unit="characters")
    """Characters of a window that are predicted."""
    batch_size: int = option(32, ge=1, le=4096, unit="windows")
    """Windows in an inner step's minibatch, each from a place drawn at random."""
    train_characters: int | None = option(None, ge=2048, le=10**8, unit="characters")
    """How much of the training part is used, from its start; nothing means all of it."""
    validation_windows: int = option(64, ge=1, le=100_000, unit="windows")
    """Windows, evenly spread over the held-out part, that the meta-loss averages over; the test
    has as many of its own."""
    inner_loss_windows: int | None = option(256, ge=1, le=100_000, unit="windows")
    """Windows, evenly spread over the training text, whose loss stands for the inner loss in
    implicit differentiation; nothing means all, side by side."""


class LanguageLSTM(LanguageTask):
    """A character language model with long short-term memory (Hochreiter and Schmidhuber, 1997)."""

    title: ClassVar[str] = "Character language model, LSTM"
    implementation: ClassVar[str] = "engine.inner_tasks.language_lstm:LanguageLSTM"
    reads: ClassVar[tuple[str, ...]] = ("dropouts",)
    small: ClassVar[dict[str, Any]] = {"embedding": 1, "units": 2, **FEW_WINDOWS}

    kind: Literal["language_lstm"] = "language_lstm"
    embedding: int = option(32, ge=1, le=4096, unit="entries")
    """Length of the vector that stands for a character."""
    units: int = option(64, ge=1, le=4096, unit="units")
    """Memory cells of each layer."""
    layers: int = option(1, ge=1, le=4, unit="layers")
    """Layers, each reading what the one before it says."""

    def parameter_shapes(self) -> Shapes:
        characters = CHARACTERS[self.text]
        shapes: Shapes = {"embedding.weight": (characters, self.embedding)}
        width = self.embedding
        for layer in range(self.layers):
            shapes[f"layers.{layer}.input_weight"] = (4 * self.units, width)
            shapes[f"layers.{layer}.hidden_weight"] = (4 * self.units, self.units)
            shapes[f"layers.{layer}.bias"] = (4 * self.units,)
            width = self.units
        shapes["head.weight"] = (characters, self.units)
        shapes["head.bias"] = (characters,)
        return shapes


class LanguageTransformer(LanguageTask):
    """A character language model with causal self-attention and layer norm before each part."""

    title: ClassVar[str] = "Character language model, transformer"
    implementation: ClassVar[str] = "engine.inner_tasks.language_transformer:LanguageTransformer"
    small: ClassVar[dict[str, Any]] = {"width": 4, "blocks": 1, **FEW_WINDOWS}
    surroundings: ClassVar[tuple[dict[str, Any], ...]] = (
        {"inner": {"optimizer": {"learning_rate": 0.02, "weight_decay": 0.03}}},
    )

    kind: Literal["language_transformer"] = "language_transformer"
    width: int = option(32, ge=1, le=4096, unit="entries")
    """Length of the vector that stands for a character at a place."""
    heads: int = option(2, ge=1, le=64, unit="heads")
    """Attention heads of a block; they share the width."""
    blocks: int = option(2, ge=1, le=32, unit="blocks")
    """Blocks of attention and a multilayer perceptron of four times the width."""

    @field_validator("heads")
    @classmethod
    def _shares_of_the_width(cls, heads: int, known: ValidationInfo) -> int:
        width = known.data.get("width", heads)
        if width % heads:
            raise ValueError(f"allowed: a divisor of the width, {width}")
        return heads

    def parameter_shapes(self) -> Shapes:
        characters, width = CHARACTERS[self.text], self.width
        shapes: Shapes = {
            "embedding.weight": (characters, width),
            "position.weight": (self.sequence, width),
        }
        for block in range(self.blocks):
            before = f"blocks.{block}"
            shapes |= _norm(f"{before}.attention_norm", width)
            # A bias of the keys would change nothing: the softmax takes only differences.
            shapes[f"{before}.attention_in.weight"] = (3 * width, width)
            shapes |= _linear(f"{before}.attention_out", width, width)
            shapes |= _norm(f"{before}.mlp_norm", width)
            shapes |= _linear(f"{before}.mlp_in", width, 4 * width)
            shapes |= _linear(f"{before}.mlp_out", 4 * width, width)
        return shapes | _norm("norm", width) | _linear("head", width, characters)


def _linear(name: str, fan_in: int, fan_out: int) -> Shapes:
    return {f"{name}.weight": (fan_out, fan_in), f"{name}.bias": (fan_out,)}


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.scale": (width,), f"{name}.shift": (width,)}
