"""What came before convolutions: one layer of neurons, a straight line between classes, and layers of neurons."""

from collections.abc import Sequence

from fastcnn import layers
from fastcnn.applications._network import Weights, chain
from fastcnn.models import Sequential

AnyShape = tuple[int, ...]


def Perceptron(input_shape: AnyShape = (28, 28, 1), classes: int = 1, *, weights: Weights = None,  # noqa: N802
               classifier_activation: str | None = None, name: str = "perceptron") -> Sequential:
    """One layer of neurons w x + b: 785 parameters for one class of MNIST against another.

    A perceptron says yes where w x + b > 0. Its learning rule, w += t x wherever the answer is wrong (t = 1 or -1), is
    a step of stochastic gradient descent on max(0, -t (w x + b)), so it is trained without the step:
    ``compile("sgd", loss="hinge")`` demands a margin of 1 as well. With classifier_activation="step" and the same
    weights it answers 0 or 1.

    Parameters
    ----------
    input_shape : tuple of int
        Of one sample, which is flattened.
    classes : int
        How many neurons.
    weights, name
        As in `fastcnn.applications`.
    classifier_activation : str, optional
        "step" to answer.

    References
    ----------
    Rosenblatt: The perceptron: a probabilistic model for information storage and organization in the brain,
    Psychological Review 65, 1958.

    Examples
    --------
    >>> fc.applications.Perceptron().output_shape
    (None, 1)
    """
    top = [layers.Dense(classes, activation=classifier_activation, kernel_initializer="zeros", name="predictions")]
    return chain("Perceptron", [layers.Flatten(name="flatten")], top, True, weights, input_shape, None, name)


def LogisticRegression(input_shape: AnyShape = (28, 28, 1), classes: int = 10, *, weights: Weights = None,  # noqa: N802
                       classifier_activation: str | None = "softmax",
                       name: str = "logistic_regression") -> Sequential:
    """Multinomial logistic regression, softmax(w x + b): 7,850 parameters for MNIST.

    Cross-entropy makes it a convex problem, so it starts at zero and ends at the same weights from everywhere.

    Parameters
    ----------
    input_shape : tuple of int
        Of one sample, which is flattened.
    classes : int
        1 with "sigmoid" tells two classes apart.
    weights, classifier_activation, name
        As in `fastcnn.applications`.

    References
    ----------
    Cox: The regression analysis of binary sequences, Journal of the Royal Statistical Society B 20, 1958.

    Examples
    --------
    >>> fc.applications.LogisticRegression().count_params()
    7850
    """
    top = [layers.Dense(classes, activation=classifier_activation, kernel_initializer="zeros", name="predictions")]
    return chain("LogisticRegression", [layers.Flatten(name="flatten")], top, True, weights, input_shape, None, name)


def LinearRegression(input_shape: AnyShape = (8,), classes: int = 1, *, weights: Weights = None,  # noqa: N802
                     classifier_activation: str | None = None, name: str = "linear_regression") -> Sequential:
    """Linear regression, w x + b: 9 parameters for 8 features and one number.

    With a squared error it is a convex problem, so it starts at zero and ends at the same weights from everywhere.

    Parameters
    ----------
    input_shape : tuple of int
        Of one sample, which is flattened.
    classes : int
        How many numbers are predicted; the argument is called as in the other networks.
    weights, classifier_activation, name
        As in `fastcnn.applications`.

    References
    ----------
    Galton: Regression towards mediocrity in hereditary stature, Journal of the Anthropological Institute 15, 1886.

    Examples
    --------
    >>> fc.applications.LinearRegression((8,)).count_params()
    9
    """
    top = [layers.Dense(classes, activation=classifier_activation, kernel_initializer="zeros", name="predictions")]
    return chain("LinearRegression", [layers.Flatten(name="flatten")], top, True, weights, input_shape, None, name)


def MLP(input_shape: AnyShape = (28, 28, 1), classes: int = 10, hidden_units: Sequence[int] = (512, 512),  # noqa: N802
        dropout: float = 0.2, *, include_top: bool = True, weights: Weights = None,
        classifier_activation: str | None = "softmax", name: str = "mlp") -> Sequential:
    """A multi-layer perceptron: 669,706 parameters for MNIST.

    Parameters
    ----------
    input_shape : tuple of int
        Of one sample, which is flattened.
    classes : int
    hidden_units : sequence of int
        Neurons of each hidden layer, rectified.
    dropout : float
        After each hidden layer.
    include_top, weights, classifier_activation, name
        As in `fastcnn.applications`.

    References
    ----------
    Rumelhart, Hinton, Williams: Learning representations by back-propagating errors, Nature 323, 1986.

    Examples
    --------
    >>> fc.applications.MLP().output_shape
    (None, 10)
    """
    hidden: list[layers.Layer] = [layers.Flatten(name="flatten")]
    for i, units in enumerate(hidden_units, 1):
        hidden.append(layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=f"fc{i}"))
        if dropout > 0:
            hidden.append(layers.Dropout(dropout, name=f"drop{i}"))
    top = [layers.Dense(classes, activation=classifier_activation, name="predictions")]
    return chain("MLP", hidden, top, include_top, weights, input_shape, None, name)
