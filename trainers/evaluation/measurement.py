"""The results of all measurements of a run as one value that JSON can hold. Loads no torch.

Each part is the result of one module of this package. A part is None when it does not apply to the
model: the likelihood without a posterior, the angles without a linear decoder.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from trainers.runs.metrics import Evaluation

Protocol = Literal["grey Bernoulli", "binarised Bernoulli", "grey Gaussian"]
"""What a likelihood is measured on; values of different protocols are not comparable.

"grey Bernoulli": grey levels taken as probabilities: a cross-entropy, not a density.
"binarised Bernoulli": pixels drawn from the grey levels; a true probability of binary images.
"grey Gaussian": a density of grey levels with the variance β/2, for the loss squared error + β·KL.
"""


class Figures(BaseModel):
    """The base class of results: a frozen group of numbers."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")


class LikelihoodFigures(Figures):
    """The likelihood of the test images under a variational model, in nats per image.

    Attributes
    ----------
    protocol
        What the likelihood is measured on.
    elbo
        reconstruction - kl, with codes drawn from the posterior (Kingma & Welling 2014, eq. 3).
    reconstruction
        E[log p(x|z)], with codes drawn from the posterior.
    kl
        KL of the posterior to the prior.
    log_likelihood
        log p(x) by importance weighting with `samples` codes per image (Burda et al. 2015, eq. 8):
        a lower bound that rises with the number of samples.
    samples
        K, the codes per image.
    images
        The number of test images, from the first.
    elbo_se, reconstruction_se, kl_se, log_likelihood_se
        The standard errors of the means over these images; None in measurements by version 0.1.
    """

    protocol: Protocol
    elbo: float
    reconstruction: float
    kl: float
    log_likelihood: float
    samples: int
    images: int
    elbo_se: float | None = None
    reconstruction_se: float | None = None
    kl_se: float | None = None
    log_likelihood_se: float | None = None


class Probes(Figures):
    """The accuracies of two classifiers on the test set, 0..1.

    Attributes
    ----------
    linear
        That of a logistic regression on standardised features.
    nearest_neighbours
        That of the majority among the `neighbours` nearest training images.
    neighbours
        k of the k nearest neighbours.
    """

    linear: float
    nearest_neighbours: float
    neighbours: int


class CodesFigures(Figures):
    """How well the codes separate the classes, and how true their 2-D view is.

    Attributes
    ----------
    codes
        Probes on the mean codes, fitted on those of the training images; None without labels.
    pixels
        The same probes on the raw pixels; known only for MNIST.
    trustworthiness, continuity
        Of the 2-D view against the pixels of the images, 0..1: whether neighbours in the view are
        neighbours among the images, and whether neighbouring images are neighbours in the view
        (Venna & Kaski 2001).
    trustworthiness_se, continuity_se
        Their standard errors over the images; None in measurements by version 0.1.
    view
        What the 2-D view is: "codes" (d = 2), "principal plane of the codes" or "line" (d = 1).
    view_images, view_neighbours
        The images and neighbours that both were computed from.
    """

    codes: Probes | None = None
    pixels: Probes | None = None
    trustworthiness: float
    continuity: float
    trustworthiness_se: float | None = None
    continuity_se: float | None = None
    view: str
    view_images: int
    view_neighbours: int


class SubspaceFigures(Figures):
    """How far a linear decoder's span is from PCA's plane.

    Attributes
    ----------
    principal_angles
        (D,) degrees, ascending; all 0 if the planes are equal (Björck & Golub 1973).
    squared_error, floor
        The squared error per test image, and that of PCA with as many codes.
    ratio
        squared_error / floor.
    """

    principal_angles: tuple[float, ...]
    squared_error: float
    floor: float
    ratio: float


class StoredCode(Figures):
    """A way to store a code.

    Attributes
    ----------
    storage
        "float32", "float16" or "8 bits".
    code_bytes
        Bytes of one code.
    ratio
        The bytes of an image (784 for MNIST, one per pixel) divided by those of a code.
    squared_error
        The squared error per test image, decoded from the stored code.
    added_error
        The part of it that storing added.
    """

    storage: str
    code_bytes: int
    ratio: float
    squared_error: float
    added_error: float


class CollapseFigures(Figures):
    """Which dimensions of a code carry no information.

    Attributes
    ----------
    dead
        Dimensions, counted from 0, whose mean code varies by no more than 0.01; none without a
        prior.
    certain_dead
        How many are collapsed at the optimum of the loss, by β against the eigenvalues (Lucas et
        al. 2019); 0 if the loss makes nothing certain.
    threshold
        The variance below which a dimension does not make up for its KL; None if not known.
    """

    dead: tuple[int, ...]
    certain_dead: int
    threshold: float | None = None


DenoisedCorruption = Literal["gaussian", "masking"]
"""The corruptions on which a model can be measured."""


class Denoising(Figures):
    """The error of a model on corrupted images, against the clean ones.

    Attributes
    ----------
    corruption
        The kind of corruption: that of the model's training, or Gaussian noise.
    noise
        Standard deviation of the Gaussian noise on the input, where 1 is the step from black to
        white, or the share of the pixels that are masked.
    input_error
        Squared error per test image of the corrupted input itself.
    squared_error
        Squared error per test image of the reconstruction.
    """

    corruption: DenoisedCorruption = "gaussian"
    noise: float
    input_error: float
    squared_error: float


class Measurement(Figures):
    """All measurements of one checkpoint of one run."""

    run: str
    preset: str
    latent_dim: int
    step: int
    dataset: str = "mnist"
    image_bytes: int = 784
    classes: tuple[str, ...] = tuple("0123456789")
    reconstruction: Evaluation
    likelihood: LikelihoodFigures | None = None
    codes: CodesFigures
    subspace: SubspaceFigures | None = None
    compression: tuple[StoredCode, ...]
    denoising: tuple[Denoising, ...]
    collapse: CollapseFigures
