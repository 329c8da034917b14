"""The thresholds that rules share, each with its source."""

SOUND = 15 / 16
"""From this share of passing runs on the others are no sign of a fault: one in 16."""
RISK = 0.05
"""A share of the runs that counts: among 64 runs it is seen at least once (96%)."""
ORDER = 10.0
"""Inputs this many times off unit size are off scale: the initialisers are derived for unit
variance (Glorot and Bengio 2010), and an order of magnitude is more than their own spread."""
OFF_CENTRE = 1.0
"""A column is off centre if its mean is further from 0 than its deviation."""
MINORITY = 0.2
"""Of two classes one with a smaller share is rare; of more, one as far below an equal share. It is
where Google's course on imbalanced data calls an imbalance moderate."""
FAINT = 0.01
"""Signal that reaches the last hidden layer from which on the layers before hardly count."""
LARGE = 2.0
"""Initial weights this many times as large as Glorot's saturate a layer that those do not."""
FEW_UPDATES = 500
FEW_HELD_OUT = 50
"""Held-out rows whose accuracy is known to within 0.14 (95%)."""
SMALL_BATCH = 8
SATURATED = 0.5
"""Share of a layer's outputs near a bound (more than half: DeepDiagnosis, Wardat et al. 2022)."""
VANISHING = 1e-3
"""First to last kernel gradient (AutoTrainer, Zhang et al. 2021)."""
EXPLODING = 70.0
"""The same the other way round (AutoTrainer)."""
RESTLESS = 0.1
"""Change of a kernel in one update over its norm (TheDeepChecker, Braiek and Khomh 2023)."""
SWING = 0.03
SWINGING_EPOCHS = 0.2
"""Accuracy that falls by 0.03 or more in a fifth of the epochs oscillates (AutoTrainer)."""
GAP = 0.1
"""Training above held-out accuracy by what 100 held-out rows can tell from chance (95%)."""
PRECISION = 1.5
"""A look ahead tells the number of updates to within about this factor, as it takes big steps."""
BARELY = 0.05
"""A weight that moves by less has hardly moved: Glorot's limit for 16 units and one is 0.6."""
FALLING = 0.05
"""A loss that has fallen by this share has fallen (TheDeepChecker's 5%)."""
ENOUGH_SURVIVORS = 0.01
"""Share of samples for which a layer may be dropped as a whole without a word."""
LOUD = 0.25
"""Noise as a share of the signal's power from which on dropout may drown it: a sum of the units
then varies by half of itself."""
SETTLED = 0.1
"""Share of a moving average that may still stem from its initial value."""
DECAYED = 0.01
"""A learning rate that is below this share of its full size hardly moves anything."""
EARLY = 0.5
"""Before this share of a training an end is early."""
SHRUNK = 0.5
"""A weight decay matters where it would take half of a weight away in a training."""
ENDURING = 0.999
"""A momentum from which on a change lasts for a thousand updates, as long as most trainings."""
