"""Fixes of what changes the updates on their way: schedule, weight decay, momentum, stopping."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from core.callbacks import EarlyStopping
from core.experiment import Experiment
from core.fixes.edits import with_training
from core.fixes.fix import Fix, ours
from core.schedules import CosineDecay

DEFAULT_DECAY = 0.004
"""Keras's weight decay of AdamW."""


def _change_optimizer(changes: dict[str, Any], experiment: Experiment) -> Experiment:
    """Other settings of the optimizer; another fix may have replaced it by one without them."""
    optimizer = experiment.training.optimizer
    known = {name: value for name, value in changes.items() if hasattr(optimizer, name)}
    return with_training(optimizer=replace(optimizer, **known))(experiment)


def _change_patience(patience: int | None, experiment: Experiment) -> Experiment:
    """Another patience of early stopping; None for no early stopping."""
    callbacks = tuple(
        replace(each, patience=patience or 0) if isinstance(each, EarlyStopping) else each
        for each in experiment.training.callbacks
        if patience is not None or not isinstance(each, EarlyStopping)
    )
    return with_training(callbacks=callbacks)(experiment)


def _change_monitor(name: str, experiment: Experiment) -> Experiment:
    callbacks = tuple(
        replace(each, monitor=name) if hasattr(each, "monitor") else each  # type: ignore[type-var]
        for each in experiment.training.callbacks
    )
    return with_training(callbacks=callbacks)(experiment)


def _of_optimizer(key: str, title: str, why: str, **changes: Any) -> Fix:
    return ours(key, title, why, partial(_change_optimizer, changes))


NO_SCHEDULE = _of_optimizer(
    "constant-rate",
    "Constant learning rate",
    "The learning rate then stays large enough for the whole training.",
    schedule=None,
)
NO_DECAY = _of_optimizer(
    "no-weight-decay",
    "No weight decay",
    "Nothing then pulls the weights to 0 but the gradient.",
    weight_decay=0.0,
)
WEAKER_DECAY = _of_optimizer(
    "weight-decay-0.004",
    "Weight decay 0.004",
    "Keras's default for AdamW takes little from a weight in one training.",
    weight_decay=DEFAULT_DECAY,
)
MOMENTUM = _of_optimizer(
    "momentum-0.9", "Momentum 0.9", "A change then lasts for about ten updates.", momentum=0.9
)
NO_STOPPING = ours(
    "no-early-stopping",
    "No early stopping",
    "Every run then has all its epochs to leave a plateau.",
    partial(_change_patience, None),
)


def monitoring(name: str) -> Fix:
    """Callbacks that watch this figure."""
    return ours(
        f"monitor-{name.replace('_', '-')}",
        f"Watch {name}",
        "The callbacks then watch a figure that is measured.",
        partial(_change_monitor, name),
    )


def cosine(updates: int) -> Fix:
    """A learning rate that falls as a cosine over all updates."""
    return _of_optimizer(
        f"cosine-over-{updates}",
        f"Cosine decay over {updates:,} updates",
        "The learning rate is then near 0 only at the end of the training.",
        schedule=CosineDecay(decay_steps=updates),
    )


def weaker_decays(experiment: Experiment) -> tuple[Fix, ...]:
    """No weight decay, or Keras's default for AdamW where that is weaker."""
    stronger = experiment.training.optimizer.weight_decay > DEFAULT_DECAY
    return (NO_DECAY, WEAKER_DECAY) if stronger else (NO_DECAY,)


def more_patience(experiment: Experiment, patience: int) -> tuple[Fix, ...]:
    """Ten times this patience, where the epochs allow it, or no early stopping."""
    longer = max(10 * patience, 10)
    if longer >= experiment.training.epochs:
        return (NO_STOPPING,)
    more = ours(
        f"patience-{longer}",
        f"Patience of {longer:,} epochs",
        "A run is then stopped only after a longer plateau.",
        partial(_change_patience, longer),
    )
    return more, NO_STOPPING
