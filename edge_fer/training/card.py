"""The model card: Markdown written from the checkpoint's own record, no figure typed by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from edge_fer.emotions import LABELS
from edge_fer.training.checkpoint import Checkpoint
from edge_fer.training.lineage import Run, lineage

ROWS = {
    "validation": "validation (PublicTest)",
    "test": "test (PrivateTest)",
    "test_without_training_duplicates": "test without faces that are also in train",
}


def card(checkpoint: Checkpoint, curves: str) -> str:
    """The card of a checkpoint trained on FER2013; `curves` is its last run's CSV."""
    sections = [
        _head(checkpoint), _figures(checkpoint), _per_class(checkpoint), _faults(checkpoint),
        _folds(checkpoint), _student(checkpoint), _training(checkpoint, curves), LIMITS,
    ]  # fmt: skip
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(checkpoint: Checkpoint) -> str:
    architecture = checkpoint.recipe.architecture
    count = sum(values.size for values in checkpoint.weights.values())
    side = architecture.size
    whole = (architecture.width, architecture.middle_blocks) == (1, 8)
    form = (
        "the full Keras Applications architecture"
        if whole
        else f"{architecture.width:g} times as wide, {architecture.middle_blocks} middle blocks,"
    )
    seen = "the luma (the training data are grey)" if architecture.colour == "grey" else "all"
    return f"""# The shipped checkpoint

Xception (Chollet, CVPR 2017), {form} with a seven-way head:
{count:,} numbers, stored as float16. Input: one face, {side}x{side} BGR bytes, of which the
network sees {seen}. Output: calibrated probabilities of
{", ".join(LABELS)}.

Written by `python -m edge_fer.training.pretrained`; every figure below was measured by it, in
float32 on the float16 weights that ship, in one pass, without test-time augmentation."""


def _figures(checkpoint: Checkpoint) -> str:
    rows = []
    for key, name in ROWS.items():
        m = checkpoint.metrics[key]
        rows.append(
            (name, f"{m['faces']:,}", _rate(m), f"{m['balanced_accuracy']:.2%}",
             f"{m['macro_f1']:.3f}", f"{m['calibration_error']:.3f}")
        )  # fmt: skip
    header = ("FER2013 split", "faces", "accuracy [95 %]", "balanced accuracy", "macro-F1",
              "calibration error")  # fmt: skip
    times = checkpoint.data.get("test", {}).get("read", 1)
    read = "once" if times == 1 else f"{times} times, once for each checkpoint made to be shipped"
    return f"""## Figures

{_table(header, rows)}

The interval is Wilson's, the calibration error is over 15 bins. No choice was made on
the test split, which was read {read}.
Human agreement on FER2013 is about 65 % (Goodfellow et al., 2013)."""


def _per_class(checkpoint: Checkpoint) -> str:
    metrics = checkpoint.metrics["test"]
    rows = [
        (label, f"{sum(row):,}", *(_known(metrics[k].get(label)) for k in ("recall", "precision")))
        for label, row in zip(LABELS, metrics["confusion"], strict=True)
    ]
    table = _table(("class", "faces", "recall", "precision"), rows)
    return f"## By class, test split\n\n{table}"


def _faults(checkpoint: Checkpoint) -> str:
    found = checkpoint.metrics.get("corruptions")
    if not found:
        return ""
    rows = [("clean", f"{found['clean']:.2%}", "")]
    rows += [
        (name, f"{one['accuracy']:.2%}", _difference(one)) for name, one in found["each"].items()
    ]
    return f"""## Under faults of cameras and crops

The {found["split"]} split, {found["faces"]:,} faces, one fault at a time at one strength
(`edge_fer/datasets/corruptions.py`); differences are paired, in points.

{_table(("faces", "accuracy", "against clean [95 %]"), rows)}"""


def _folds(checkpoint: Checkpoint) -> str:
    found = checkpoint.metrics.get("kfold")
    if not found:
        return ""
    over = found["accuracy"]
    kept = f"grouped by {found['grouping']}" if found["grouped"] else "plain (not grouped)"
    used, splits = found["recipe"], ", ".join(found["splits"])
    seen = "".join(
        f" {option} had learnt from {', '.join(kinds)} before, maybe from tested faces."
        for option, kinds in found.get("seen", {}).items()
    )
    return f"""## Cross-validation

{found["kfold"]} folds, {kept}, of {found["faces"]:,} faces of {found["data"]} ({splits}):
accuracy {over["mean"]:.2%} ± {100 * over["sd"]:.2f} (mean and standard deviation over folds), at
{used["architecture"]["size"]} px with {used["epochs"]:g} epochs from {found["init"]}.{seen}
Not to be put beside figures of the official splits: other networks, other faces."""


def _student(checkpoint: Checkpoint) -> str:
    found = checkpoint.metrics.get("student")
    if not found:
        return ""
    return f"""## Its student

{found["parameters"]:,} parameters (width {found["width"]:g}), distilled from this checkpoint: test
split {_rate(found["test"])}, against it {_difference(found)} points."""


def _training(checkpoint: Checkpoint, curves: str) -> str:
    recipe, data, made = checkpoint.recipe, checkpoint.data, checkpoint.made
    mean = f", running mean of the weights {recipe.ema:g}" if recipe.ema else ""
    return f"""## Training

Data: FER2013, {data["train"]["faces"]:,} faces of the train split (list SHA-256
`{data["train"]["sha256"][:16]}`). Every run began where the one above it ended:

{_runs(lineage(checkpoint))}

In all: AdamW, one cycle. In the last: weight decay {recipe.weight_decay:g},
batch {recipe.batch}, label smoothing {recipe.label_smoothing:g}, dropout {recipe.dropout:g},
mixup {recipe.mixup:g}{mean}.
Augmentation: mirror, turns to {recipe.rotate:g} degrees, size to {recipe.scale:.0%},
shift to {recipe.shift:.0%}, brightness and contrast to {recipe.light:.0%},
erasing in {recipe.erase:.0%} of faces, a camera's fault in {recipe.degrade:.0%}.
All recipes are in `checkpoint.json`.

The calibration (vector scaling, folded into the last layer) and the abstention threshold
{checkpoint.abstain_below:.3f} (a label for {recipe.coverage:.0%} of faces) come from the
validation split. Keras {made["keras"]} on {made["backend"]}
({made["device"]}, {made["precision"]}){_costs(made)}.

| step of the last run | phase | training loss | validation accuracy |
|---|---|---|---|
{_curve(curves)}"""


def _runs(runs: Iterable[Run]) -> str:
    rows = []
    for run in runs:
        recipe, reached = run["recipe"], run["validation_accuracy"]
        rows.append(
            (str(run["init"]), f"{recipe['architecture']['size']} px",
             *_learnt(run),
             "" if reached is None else f"{reached:.2%}")
        )  # fmt: skip
    header = ("start", "input", "epochs (head + all layers)", "peak rate", "validation after it")
    return _table(header, rows)


def _learnt(run: Run) -> tuple[str, str]:
    """Epochs and rate; a mean of runs has none of its own."""
    recipe = run["recipe"]
    if run.get("mean", 1) > 1:
        return "none", ""
    return f"{recipe['head_epochs']:g} + {recipe['epochs']:g}", f"{recipe['rate']:g}"


def _costs(made: dict[str, Any]) -> str:
    rate, memory = made.get("faces_per_s"), made.get("peak_memory_bytes")
    told = [f"{rate:.0f} faces/s"] if rate else []
    told += [f"{memory / 1e9:.1f} GB of memory at most"] if memory else []
    return "".join(f", {part}" for part in told)


def _curve(curves: str) -> str:
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(curves)))
    return "\n".join(
        f"| {r['step']} | {r['phase']} | {float(r['loss']):.3f} "
        f"| {float(r['validation_accuracy']):.2%} |"
        for r in rows
        if r["validation_accuracy"]
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _rate(metrics: dict[str, Any]) -> str:
    low, high = metrics["accuracy_95"]
    return f"{metrics['accuracy']:.2%} [{low:.2%}, {high:.2%}]"


def _difference(found: dict[str, Any]) -> str:
    low, high = found["difference_95"]
    return f"{100 * found['difference']:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"


def _known(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


LIMITS = """## Intended use and limits

For trying and measuring edge-fer, and as a start for training on better data. It names the
expression that a face wears, not what a person feels. FER2013 was gathered by web search in 2013,
posed and spontaneous faces mixed, with noisy labels and unknown demographics: do not expect equal
accuracy for all people, side views, poor light or covered faces; measure it on your own
(`edge-fer evaluate`, with age and gender columns where you have them). Fear, disgust and sadness
are the weakest classes. Not for decisions about people. The training data are a research data set,
of which no picture is shipped; using the model commercially is your own legal question. In the
European Union inferring emotions at work and in education is forbidden (AI Act, Art. 5(1)(f)), and
people must be told (Art. 50(3))."""
