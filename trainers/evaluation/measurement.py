"""Everything that is measured of a run, as one value: JSON in and out. Loads no torch.

Each part is the answer of one module of this package; a part is None where the question means
nothing for the model (a likelihood where there is no posterior, angles where nothing is linear).
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from trainers.runs.metrics import Evaluation

Protocol = Literal["grey Bernoulli", "binarised Bernoulli", "grey Gaussian"]
"""What a likelihood is the likelihood of; figures of different protocols are not comparable.

"grey Bernoulli": grey levels taken as if they were probabilities: a cross-entropy, no density.
"binarised Bernoulli": pixels drawn from the grey levels; a true probability of binary images.
"grey Gaussian": a density of grey levels, the variance being β/2 where the loss is squared error
+ β·KL.
"""


class Figures(BaseModel):
    """A frozen group of figures."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")


class LikelihoodFigures(Figures):
    """What a variational model gives the test images, in nats per image.

    Attributes
    ----------
    protocol
        What it is the likelihood of.
    elbo
        reconstruction - kl, with codes drawn from the posterior (Kingma & Welling 2014, eq. 3).
    reconstruction
        E[log p(x|z)], the codes drawn from the posterior.
    kl
        KL of the posterior to the prior.
    log_likelihood
        log p(x) by importance weighting with `samples` codes an image (Burda et al. 2015, eq. 8):
        a lower bound that rises with the number of samples.
    samples
        K, codes an image.
    images
        Test images measured.
    """

    protocol: Protocol
    elbo: float
    reconstruction: float
    kl: float
    log_likelihood: float
    samples: int
    images: int


class Probes(Figures):
    """What a classifier reads off: accuracies on the test set, 0..1.

    Attributes
    ----------
    linear
        Of a logistic regression on standardised features.
    nearest_neighbours
        Of the majority among the `neighbours` nearest training images.
    neighbours
        k of the k nearest neighbours.
    """

    linear: float
    nearest_neighbours: float
    neighbours: int


class CodesFigures(Figures):
    """What the codes know of the digits.

    Attributes
    ----------
    codes
        Probes on the mean codes, fitted on the training images'; None without labels.
    pixels
        The same probes on the raw pixels; of MNIST alone, where they are known.
    trustworthiness, continuity
        Of the 2-D view against the space of images, 0..1: whether neighbours in the view are
        neighbours in truth, and whether true neighbours stay so (Venna & Kaski 2001).
    view
        What the 2-D view is: "codes" (d = 2), "principal plane of the codes" or "line" (d = 1).
    view_images, view_neighbours
        Images and neighbours that the two were computed from.
    """

    codes: Probes | None = None
    pixels: Probes | None = None
    trustworthiness: float
    continuity: float
    view: str
    view_images: int
    view_neighbours: int


class SubspaceFigures(Figures):
    """How far a linear decoder's span is from PCA's plane.

    Attributes
    ----------
    principal_angles
        (D,) degrees, ascending; all 0 where the planes are one (Björck & Golub 1973).
    squared_error, floor
        Squared error per test image, and what PCA with as many codes leaves.
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
        Bytes of an image (784 of MNIST's, one a pixel) over those of a code.
    squared_error
        Squared error per test image, decoded from the stored code.
    added_error
        How much of it the storing added.
    """

    storage: str
    code_bytes: int
    ratio: float
    squared_error: float
    added_error: float


class CollapseFigures(Figures):
    """Which dimensions of a code say nothing.

    Attributes
    ----------
    dead
        Dimensions, counted from 0, whose mean code varies by no more than 0.01.
    certain_dead
        How many must die whatever the training, by β against the eigenvalues (Lucas et al.
        2019); 0 where the loss makes nothing certain.
    threshold
        The variance below which a dimension does not pay for itself; None where nothing is known.
    """

    dead: tuple[int, ...]
    certain_dead: int
    threshold: float | None = None


class Denoising(Figures):
    """The model given noisy digits: what it gives back, against the clean ones.

    Attributes
    ----------
    noise
        Standard deviation of the Gaussian noise on the input; full ink is 1.
    input_error
        Squared error per test image of the noisy input itself.
    squared_error
        Squared error per test image of what the model gives back.
    """

    noise: float
    input_error: float
    squared_error: float


class Measurement(Figures):
    """Everything that is measured of one checkpoint of one run."""

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
