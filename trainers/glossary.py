"""The terms of the field: their meanings, formulas and sources.

One text serves tool tips, the manual and other callers. This module loads no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class GlossaryEntry:
    """One term.

    Attributes
    ----------
    term
        As it is written in the window.
    meaning
        One or two sentences.
    formula
        In plain letters; empty where there is none.
    source
        The paper that it is from; empty for what every textbook has.
    """

    term: str
    meaning: str
    formula: str = ""
    source: str = ""

    @property
    def text(self) -> str:
        """Its meaning and its formula, each on a line of its own, for a tool tip."""
        return "\n".join(line for line in (self.meaning, self.formula) if line)


GLOSSARY: dict[str, GlossaryEntry] = {
    "latent_dim": GlossaryEntry(
        "Latent dimension",
        "How many numbers a code has. Fewer compress more; two can be seen whole.",
        "z = encoder(x) ∈ ℝᵈ",
    ),
    "variational": GlossaryEntry(
        "Variational autoencoder",
        "The encoder gives a distribution over codes, and its divergence from the prior is paid.",
        "q(z | x) = N(μ(x), σ²(x)),  z = μ + σ·ε,  ε ~ N(0, I)",
        "Kingma & Welling, Auto-Encoding Variational Bayes, 2014",
    ),
    "likelihood": GlossaryEntry(
        "Likelihood",
        "What the decoder's output is taken for: pixels with an error around them, or the "
        "probabilities of ink.",
        "squared error: Σ (x − x̂)²;  Bernoulli: −Σ x ln x̂ + (1 − x) ln(1 − x̂)",
    ),
    "beta": GlossaryEntry(
        "β",
        "Weight of the KL term. At 1 the Bernoulli loss is the negative ELBO; above, codes are "
        "more regular and images less exact.",
        "loss = reconstruction + β·KL",
        "Higgins et al., β-VAE, 2017",
    ),
    "loss": GlossaryEntry(
        "Loss",
        "What training minimises, per image: reconstruction plus β·KL, where there is a KL.",
        "loss = reconstruction + β·KL",
    ),
    "test_loss": GlossaryEntry(
        "Test loss",
        "What training minimises, on the test images: with one fixed draw of the code, and of the "
        "binary pixels and the corruption if training draws them. It is comparable with the "
        "training curve.",
        "loss = reconstruction + β·KL",
    ),
    "validation_loss": GlossaryEntry(
        "Validation loss",
        "The test loss, but on the training images that training held out. Choose settings and "
        "checkpoints by it, so that the test images stay unseen.",
        "loss = reconstruction + β·KL",
    ),
    "validation_squared_error": GlossaryEntry(
        "Validation error",
        "The squared error of the reconstructions of the training images that training held out.",
        "Σ (x − x̂)²",
    ),
    "loss_at_mean": GlossaryEntry(
        "Loss at the mean code",
        "The loss of uncorrupted test images decoded from the mean of the posterior instead of a "
        "sample. For a variational model it is lower than the test loss, and it is no bound on the "
        "likelihood.",
        "loss = reconstruction(μ) + β·KL",
    ),
    "reconstruction": GlossaryEntry(
        "Reconstruction",
        "How far the images given back are from the right ones, in the likelihood's own measure.",
        "−ln p(x | z), or Σ (x − x̂)²",
    ),
    "kl": GlossaryEntry(
        "KL to the prior",
        "How far the encoder's distribution is from the prior: what a code costs, in nats per "
        "image.",
        "KL(q ‖ p) = ½ Σ (μ² + σ² − ln σ² − 1)",
        "Kingma & Welling 2014, appendix B",
    ),
    "elbo": GlossaryEntry(
        "ELBO",
        "A lower bound on the log-likelihood of an image; what a variational autoencoder raises.",
        "ln p(x) ≥ E_q[ln p(x | z)] − KL(q ‖ p)",
        "Kingma & Welling 2014, equation 3",
    ),
    "log_likelihood": GlossaryEntry(
        "Importance-weighted log-likelihood",
        "A tighter bound from K samples of the posterior. For grey levels taken as probabilities "
        "it is a bound on a cross-entropy, no density; grey and binarised images have scales of "
        "their own and are not compared.",
        "ln p(x) ≥ E[ln 1/K Σₖ p(x, zₖ) / q(zₖ | x)]",
        "Burda et al., Importance Weighted Autoencoders, 2015",
    ),
    "squared_error": GlossaryEntry(
        "Squared error",
        "Between an image and its reconstruction, summed over the pixels; full ink is 1.",
        "Σ (x − x̂)²",
    ),
    "squared_error_per_pixel": GlossaryEntry(
        "Squared error per pixel",
        "Between images and their reconstructions, averaged over pixels; full ink is 1.",
        "1/P Σ (x − x̂)²",
    ),
    "pca_ratio": GlossaryEntry(
        "Error over PCA's",
        "Squared error over that of PCA with as many codes. No linear autoencoder gets below 1.",
        "Σ (x − x̂)² / Σ (x − x̂_PCA)²",
        "Baldi & Hornik 1989",
    ),
    "explained_variance": GlossaryEntry(
        "Explained variance",
        "The share of the images' variance that reconstructions keep; 1 is perfect.",
        "1 − Σ (x − x̂)² / Σ (x − x̄)²",
    ),
    "cross_entropy": GlossaryEntry(
        "Cross-entropy",
        "Of the grey image against the decoded one, whatever the likelihood, in nats per image.",
        "−Σ x ln x̂ + (1 − x) ln(1 − x̂)",
    ),
    "active_units": GlossaryEntry(
        "Active units",
        "Dimensions of the code that tell images apart; the others have collapsed onto the prior. "
        "Only models with a prior have them.",
        "Var(μᵢ(x)) > 0.01 over the images",
        "Burda et al. 2015",
    ),
    "effective_dimensions": GlossaryEntry(
        "Effective dimensions",
        "How many directions the codes use, from 1 to the latent dimension. Rotating or scaling "
        "the codes does not change it, so it also suits codes without a prior.",
        "(Σ λᵢ)² / Σ λᵢ²,  λ: eigenvalues of the covariance of the codes",
    ),
    "largest_angle": GlossaryEntry(
        "Principal angle to PCA",
        "Between the plane that a linear decoder spans and PCA's; 0° where they are the same.",
        "cos θ = smallest singular value of Qᵀ·Q_PCA",
        "Björck & Golub 1973",
    ),
    "posterior": GlossaryEntry(
        "Posterior ellipse",
        "Where the encoder believes the code of an image to be: one and two standard deviations.",
        "(z − μ)ᵀ Σ⁻¹ (z − μ) = 1, 4",
    ),
    "drift": GlossaryEntry(
        "Way back",
        "The code of the decoded image. It is elsewhere where the decoder invents.",
        "‖encode(decode(z)) − z‖",
    ),
    "magnification": GlossaryEntry(
        "Magnification",
        "How fast the decoded image changes there: by how much an area of the plane is enlarged.",
        "√det(Jᵀ J),  J = ∂decoder/∂z",
        "Bishop et al., Magnification factors, 1997; Arvanitidis et al. 2018",
    ),
    "geodesic": GlossaryEntry(
        "Geodesic",
        "The way between two codes along which the decoded image changes least, in sum.",
        "min ∫ ‖J(γ(t))·γ′(t)‖ dt",
        "Arvanitidis et al., Latent Space Oddity, 2018; Chen et al. 2018",
    ),
    "procrustes": GlossaryEntry(
        "Alignment",
        "Codes of one checkpoint turned and mirrored onto the next, so that they do not spin "
        "without reason.",
        "min over orthogonal R of ‖A·R − B‖",
        "Schönemann 1966",
    ),
    "trustworthiness": GlossaryEntry(
        "Trustworthiness",
        "Whether neighbours in the plane are neighbours in the original space; 1 where all of them "
        "are. For t-SNE and UMAP the original space is that of the codes; an evaluation compares "
        "the view with the pixels.",
        "1 − 2 / (n k (2n − 3k − 1)) Σᵢ Σ_{j ∈ Uₖ(i)} (r(i, j) − k)",
        "Venna & Kaski 2001",
    ),
    "probe": GlossaryEntry(
        "Probe accuracy",
        "How well a simple classifier tells the classes from the codes of the training images, on "
        "the test images.",
        "linear (logistic regression), or the nearest neighbours' vote",
    ),
    "denoising": GlossaryEntry(
        "Denoising autoencoder",
        "Is given a corrupted image and has to give back the clean one.",
        "min Σ (x − decoder(encoder(x + noise)))²",
        "Vincent et al. 2008",
    ),
}
"""All terms by key; config fields and metrics have their own names here."""


def explain(key: str, otherwise: str = "") -> str:
    """Returns meaning and formula of a term, or `otherwise` for an unknown term."""
    entry = GLOSSARY.get(key)
    return entry.text if entry else otherwise


def page(entries: Iterable[GlossaryEntry]) -> str:
    """Returns the entries as Markdown, in alphabetical order."""
    return "\n\n".join(
        "\n\n".join(
            part
            for part in (
                f"**{entry.term}.** {entry.meaning}",
                f"`{entry.formula}`" if entry.formula else "",
                f"*{entry.source}.*" if entry.source else "",
            )
            if part
        )
        for entry in sorted(entries, key=lambda entry: entry.term.casefold())
    )
