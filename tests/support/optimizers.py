"""An optimizer of each kind with options, schedules and clipping."""

from core.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lion,
    Nadam,
    RMSprop,
)
from core.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

OPTIONS = (
    SGD(0.05, 0.9, nesterov=True, weight_decay=0.02, schedule=InverseTimeDecay(1, 0.1)),
    SGD(0.5, 0.5, clipvalue=0.05),
    RMSprop(0.01, rho=0.8, momentum=0.5, epsilon=1e-4, centered=True, clipnorm=0.1),
    Adam(0.03, beta_1=0.8, beta_2=0.95, epsilon=1e-4, amsgrad=True, weight_decay=0.1),
    AdamW(0.02, 0.05, schedule=CosineDecay(20, 0.1, warmup_steps=10, warmup_from=0.2)),
    Adamax(0.02, beta_1=0.8, global_clipnorm=0.2),
    Nadam(0.02, beta_1=0.85, schedule=ExponentialDecay(10, 0.5, staircase=True)),
    Adagrad(0.1, initial_accumulator_value=0.01, schedule=PolynomialDecay(20, 0.1, 2, cycle=True)),
    Adadelta(1.0, rho=0.9, epsilon=1e-5, schedule=PiecewiseConstantDecay((10, 30), (0.5, 0.1))),
    Ftrl(
        0.3,
        learning_rate_power=-0.4,
        initial_accumulator_value=0.5,
        l1_regularization_strength=0.001,
        l2_regularization_strength=0.01,
        l2_shrinkage_regularization_strength=0.01,
        beta=0.1,
    ),
    Lion(0.01, beta_1=0.8, weight_decay=0.1, schedule=CosineDecayRestarts(8, 2.0, 0.8, 0.1)),
)
"""Each optimizer, schedule and way to clip, with each argument off its default."""
