"""The model card: Markdown written from the checkpoint's own figures, none typed by hand."""

from __future__ import annotations

import csv
import io
from typing import Any

from edge_fer.emotions import LABELS
from edge_fer.training.checkpoint import Checkpoint

ROWS = {
    "validation": "validation (PublicTest)",
    "test": "test (PrivateTest)",
    "test_without_training_duplicates": "test without faces that are also in train",
}


def card(checkpoint: Checkpoint, curves: str) -> str:
    """The card of a checkpoint trained on FER2013; `curves` is its run's CSV."""
    sections = (_head, _figures, _per_class, _training, _limits)
    return "\n\n".join(section(checkpoint, curves) for section in sections) + "\n"


def _head(checkpoint: Checkpoint, curves: str) -> str:
    size = checkpoint.recipe.architecture.size
    count = sum(values.size for values in checkpoint.weights.values())
    return f"""# The shipped checkpoint

Xception (Chollet, CVPR 2017), the full Keras Applications architecture with a seven-way head:
{count:,} numbers, stored as float16. Input: one face, {size}x{size} BGR bytes, of which the
network sees the luma (the training data are grey). Output: calibrated probabilities of
{", ".join(LABELS)}.

Written by `python -m edge_fer.training.pretrained`; every figure below was measured by it, in
float32 on the float16 weights that ship, in one pass, without test-time augmentation."""


def _figures(checkpoint: Checkpoint, curves: str) -> str:
    lines = [
        "## Figures",
        "",
        "| FER2013 split | faces | accuracy [95 %] | macro-F1 | calibration error |",
        "|---|---|---|---|---|",
    ]
    for key, name in ROWS.items():
        m = checkpoint.metrics[key]
        low, high = m["accuracy_95"]
        lines.append(
            f"| {name} | {m['faces']:,} | {m['accuracy']:.2%} [{low:.2%}, {high:.2%}] "
            f"| {m['macro_f1']:.3f} | {m['calibration_error']:.3f} |"
        )
    lines += [
        "",
        "The interval is Wilson's, the calibration error is over 15 bins. No choice was made on",
        "the test split. Human agreement on FER2013 is about 65 % (Goodfellow et al., 2013).",
    ]
    return "\n".join(lines)


def _per_class(checkpoint: Checkpoint, curves: str) -> str:
    metrics = checkpoint.metrics["test"]
    lines = ["## Recall by class, test split", "", "| class | faces | recall |", "|---|---|---|"]
    for label, row in zip(LABELS, metrics["confusion"], strict=True):
        lines.append(f"| {label} | {sum(row):,} | {metrics['recall'][label]:.1%} |")
    return "\n".join(lines)


def _training(checkpoint: Checkpoint, curves: str) -> str:
    recipe, data, made = checkpoint.recipe, checkpoint.data, checkpoint.made
    return f"""## Training

Data: FER2013, {data["train"]["faces"]:,} faces of the train split (list SHA-256
`{data["train"]["sha256"][:16]}`). Start: {made["init"]}. First the head alone for
{recipe.head_epochs:g} epochs, then all layers for {recipe.epochs:g}; AdamW, one cycle with peak
{recipe.rate:g}, weight decay {recipe.weight_decay:g}, batch {recipe.batch}, label smoothing
{recipe.label_smoothing:g}, dropout {recipe.dropout:g}. Augmentation: mirror, turns to
{recipe.rotate:g} degrees, size to {recipe.scale:.0%}, shift to {recipe.shift:.0%}, brightness and
contrast to {recipe.light:.0%}, erasing in {recipe.erase:.0%} of faces. The whole recipe is in
`checkpoint.json`.

Temperature {checkpoint.temperature:.3f} and the abstention threshold
{checkpoint.abstain_below:.3f} (a label for 90 % of faces) come from the validation split. Keras
{made["keras"]} on {made["backend"]} ({made["device"]}, {made["precision"]}).

| step | phase | training loss | validation accuracy |
|---|---|---|---|
{_curve(curves)}"""


def _curve(curves: str) -> str:
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(curves)))
    return "\n".join(
        f"| {r['step']} | {r['phase']} | {float(r['loss']):.3f} "
        f"| {float(r['validation_accuracy']):.2%} |"
        for r in rows
        if r["validation_accuracy"]
    )


def _limits(checkpoint: Checkpoint, curves: str) -> str:
    return """## Intended use and limits

For trying and measuring edge-fer, and as a start for training on better data. It names the
expression that a face wears, not what a person feels. FER2013 was gathered by web search in 2013,
with noisy labels and unknown demographics: do not expect equal accuracy for all people, side
views, poor light or covered faces. Fear, disgust and sadness are the weakest classes. The
training data are a research data set, of which no picture is shipped; using the model
commercially is your own legal question. In the European Union inferring emotions at work and in
education is forbidden (AI Act, Art. 5(1)(f)), and people must be told (Art. 50(3))."""
