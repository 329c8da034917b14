"""Names by convention: what `Dense`, `np` or `K.relu` mean, imported or not, and old spellings."""

from __future__ import annotations

import re

from core.layers import LAYERS
from core.optimizers import OPTIMIZERS
from core.script.words import words

CONVENTIONS = {
    "np": "numpy",
    "numpy": "numpy",
    "pd": "pandas",
    "pandas": "pandas",
    "tf": "tensorflow",
    "tensorflow": "tensorflow",
    "keras": "keras",
    "K": "keras.backend",
    "layers": "keras.layers",
    "optimizers": "keras.optimizers",
    "losses": "keras.losses",
    "metrics": "keras.metrics",
    "models": "keras.models",
    "activations": "keras.activations",
    "initializers": "keras.initializers",
    "regularizers": "keras.regularizers",
    "callbacks": "keras.callbacks",
    "utils": "keras.utils",
    "np_utils": "keras.utils",
    "datasets": "keras.datasets",
    "mnist": "keras.datasets.mnist",
    "fashion_mnist": "keras.datasets.fashion_mnist",
    "random": "random",
    "math": "math",
    "plt": "matplotlib.pyplot",
    "sns": "seaborn",
    "os": "os",
    "sys": "sys",
    "time": "time",
    "sklearn": "sklearn",
    "preprocessing": "sklearn.preprocessing",
    "model_selection": "sklearn.model_selection",
}
"""What a name means that the script uses and neither assigns nor imports."""

KERAS_NAMES = words(
    """
    Sequential Model Input InputLayer Activation Dropout Flatten Dense BatchNormalization
    LeakyReLU PReLU ELU ReLU Softmax ThresholdedReLU GaussianNoise GaussianDropout
    AlphaDropout LayerNormalization Reshape Permute RepeatVector Lambda Masking Embedding
    Conv1D Conv2D Conv3D Convolution1D Convolution2D SeparableConv1D SeparableConv2D
    DepthwiseConv2D Conv2DTranspose Conv1DTranspose UpSampling1D UpSampling2D ZeroPadding1D
    ZeroPadding2D Cropping2D MaxPooling1D MaxPooling2D MaxPooling3D MaxPool1D MaxPool2D
    AveragePooling1D AveragePooling2D AvgPool2D GlobalMaxPooling1D GlobalMaxPooling2D
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAvgPool2D SimpleRNN LSTM GRU CuDNNLSTM
    CuDNNGRU Bidirectional TimeDistributed ConvLSTM2D Attention MultiHeadAttention Add
    Concatenate Multiply Average Subtract Dot Maximum Rescaling Normalization RandomFlip
    RandomRotation RandomZoom TextVectorization SGD Adam RMSprop Adagrad Adadelta Adamax Nadam
    AdamW Ftrl Lion Lamb Adafactor EarlyStopping ReduceLROnPlateau ModelCheckpoint TensorBoard
    LearningRateScheduler CSVLogger History TerminateOnNaN LambdaCallback RandomNormal
    RandomUniform TruncatedNormal Zeros Ones Constant VarianceScaling Orthogonal GlorotNormal
    GlorotUniform HeNormal HeUniform LecunNormal LecunUniform ExponentialDecay
    PiecewiseConstantDecay PolynomialDecay InverseTimeDecay CosineDecay KerasClassifier
    KerasRegressor load_model to_categorical l1 l2 l1_l2 L1 L2 L1L2 max_norm MaxNorm maxnorm
    ImageDataGenerator TimeseriesGenerator concatenate VGG16 VGG19 ResNet50 ResNet101
    ResNet50V2 InceptionV3 Xception InceptionResNetV2 MobileNet MobileNetV2 DenseNet121
    EfficientNetB0 image_dataset_from_directory
    """
)
"""Names of Keras that scripts use without importing them."""

SKLEARN_NAMES = words(
    """
    train_test_split StandardScaler MinMaxScaler RobustScaler MaxAbsScaler Normalizer
    LabelEncoder OneHotEncoder LabelBinarizer OrdinalEncoder ColumnTransformer SimpleImputer
    load_iris load_breast_cancer load_digits load_wine load_diabetes make_moons make_circles
    make_classification make_blobs make_regression make_gaussian_quantiles shuffle KFold
    StratifiedKFold cross_val_score GridSearchCV RandomizedSearchCV
    make_column_transformer Pipeline make_pipeline scale normalize
    minmax_scale accuracy_score confusion_matrix classification_report compute_class_weight
    """
)
NUMPY_NAMES = words("loadtxt genfromtxt array asarray argmax linspace arange zeros")
PANDAS_NAMES = words("read_csv DataFrame get_dummies read_excel")


def convention(name: str) -> str | None:
    """The path that a name stands for by convention, or None."""
    if name in CONVENTIONS:
        return CONVENTIONS[name]
    for known, path in (
        (KERAS_NAMES, "keras"),
        (SKLEARN_NAMES, "sklearn"),
        (NUMPY_NAMES, "numpy"),
        (PANDAS_NAMES, "pandas"),
    ):
        if name in known:
            return f"{path}.{name}"
    if name in keras_classes():
        return f"keras.{name}"
    return None


def keras_classes() -> set[str]:
    """Keras's names of the layers and optimizers that can be trained."""
    return {each.keras_name for each in (*LAYERS.values(), *OPTIMIZERS.values())}


def canonical(path: str) -> str:
    """A path with the homes of Keras as one: "tensorflow.keras.layers" is "keras.layers".

    Other names of TensorFlow that stand for Keras's, such as `tf.nn.relu`, are "keras" too.
    """
    path = re.sub(r"^tensorflow\.(python\.|compat\.v[12]\.|contrib\.)*keras\b", "keras", path)
    path = re.sub(r"^(tf_keras|keras_core|keras\.src|keras\.api(\._v2)?)\b", "keras", path)
    path = re.sub(r"^keras\.keras\b", "keras", path)
    path = re.sub(r"^tensorflow\.(nn|initializers|losses|optimizers|keras)\b", r"keras.\1", path)
    path = re.sub(r"^tensorflow\.(compat\.v1\.)?train\.(\w+)Optimizer$", _old_optimizer, path)
    path = re.sub(r"^tensorflow\.compat\.v1\.", "tensorflow.", path)
    path = re.sub(r"^keras\.optimizers\.(legacy|experimental)\b", "keras.optimizers", path)
    path = re.sub(r"^scikeras\.wrappers\b", "keras.wrappers", path)
    path = re.sub(r"^keras\.preprocessing\.text\b", "keras.text", path)
    return re.sub(r"^tensorflow\.math\.(relu|sigmoid|tanh|softmax)$", r"keras.nn.\1", path)


OLD_OPTIMIZERS = {"GradientDescent": "SGD", "Momentum": "SGD", "RMSProp": "RMSprop"}
"""Optimizers of TensorFlow 1 that Keras calls by other names."""


def _old_optimizer(found: re.Match) -> str:
    return f"keras.optimizers.{OLD_OPTIMIZERS.get(found.group(2), found.group(2))}"


def snake(name: str) -> str:
    """A class's name as Keras writes its function: "BinaryCrossentropy" is binary_crossentropy."""
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


SPELLINGS = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "logcosh": "log_cosh",
    "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "cosine_proximity": "cosine_similarity",
    "huber_loss": "huber",
    "sparse_softmax_crossentropy": "sparse_categorical_crossentropy",
    "acc": "accuracy",
    "val_acc": "val_accuracy",
    "swish": "silu",
    "hard_swish": "hard_silu",
    "leakyrelu": "leaky_relu",
    "uniform": "random_uniform",
    "normal": "random_normal",
    "gaussian": "random_normal",
    "zero": "zeros",
    "one": "ones",
    "glorot": "glorot_uniform",
    "xavier": "glorot_uniform",
    "xavier_initializer": "glorot_uniform",
}
"""Other and older names of activations, losses and initialisers."""


def known_name(name: str, entries: object) -> str | None:
    """The key of a registry that a name of Keras means, in any of its spellings, or None."""
    keys: dict[str, str] = {str(key).lower(): str(key) for key in entries}  # type: ignore[attr-defined]
    forms = (name, name.lower(), SPELLINGS.get(name.lower(), ""), snake(name))
    for form in (*forms, SPELLINGS.get(snake(name), "")):
        if form.lower() in keys:
            return keys[form.lower()]
        if form in _LATER and _LATER[form] in keys:
            return keys[_LATER[form]]
    return None


_LATER = {"log_cosh": "logcosh", "silu": "swish", "kl_divergence": "kullback_leibler_divergence"}
"""For registries that have the other one of two names that Keras takes."""

ARGUMENTS: dict[str, dict[str, str]] = {
    "*": {
        "output_dim": "units",
        "init": "kernel_initializer",
        "W_regularizer": "kernel_regularizer",
        "b_regularizer": "bias_regularizer",
        "W_constraint": "kernel_constraint",
        "bias": "use_bias",
        "p": "rate",
        "lr": "learning_rate",
        "sigma": "stddev",
        "nb_epoch": "epochs",
        "kernel_init": "kernel_initializer",
    },
    "LeakyReLU": {"alpha": "negative_slope"},
    "ReduceLROnPlateau": {"epsilon": "min_delta"},
}
"""Argument names of Keras 1 and 2, and what Keras 3 calls them; "*" holds for every class."""

SIGNATURES: dict[str, tuple[str, ...]] = {
    "Dense": (
        "units",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    ),
    "Dropout": ("rate", "noise_shape", "seed"),
    "Activation": ("activation",),
    "LeakyReLU": ("negative_slope",),
    "ELU": ("alpha",),
    "GaussianNoise": ("stddev", "seed"),
    "BatchNormalization": ("axis", "momentum", "epsilon", "center", "scale"),
    "LayerNormalization": ("axis", "epsilon", "center", "scale"),
    "SGD": ("learning_rate", "momentum", "nesterov", "weight_decay"),
    "Adam": ("learning_rate", "beta_1", "beta_2", "epsilon", "amsgrad", "weight_decay"),
    "RMSprop": ("learning_rate", "rho", "momentum", "epsilon", "centered"),
    "RandomNormal": ("mean", "stddev", "seed"),
    "TruncatedNormal": ("mean", "stddev", "seed"),
    "RandomUniform": ("minval", "maxval", "seed"),
    "Constant": ("value",),
    "L1": ("l1",),
    "L2": ("l2",),
    "L1L2": ("l1", "l2"),
    "EarlyStopping": ("monitor", "min_delta", "patience"),
    "ReduceLROnPlateau": ("monitor", "factor", "patience"),
    "ExponentialDecay": ("initial_learning_rate", "decay_steps", "decay_rate", "staircase"),
    "PiecewiseConstantDecay": ("boundaries", "values"),
    "PolynomialDecay": ("initial_learning_rate", "decay_steps", "end_learning_rate", "power"),
    "CosineDecay": ("initial_learning_rate", "decay_steps", "alpha"),
    "CosineDecayRestarts": ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul"),
    "InverseTimeDecay": ("initial_learning_rate", "decay_steps", "decay_rate", "staircase"),
    "BinaryCrossentropy": ("from_logits", "label_smoothing"),
    "CategoricalCrossentropy": ("from_logits", "label_smoothing"),
    "SparseCategoricalCrossentropy": ("from_logits",),
    "Huber": ("delta",),
}
"""Keras's order of positional arguments, where a class has more than its entry says."""

CLASSES = {"l1": "L1", "l2": "L2", "l1_l2": "L1L2", "L1_L2": "L1L2"}
"""Functions of Keras that make an instance of a class."""
