"""The thresholds of the verdicts, and the published values that the claims are compared with."""

from __future__ import annotations

LARGEST_ANGLE = 5.0
"""The largest principal angle, in degrees, at which two planes count as the same."""

FLOOR_MARGIN = 1.02
"""The largest ratio of a linear autoencoder's error to PCA's at which it has converged."""

ERROR_APART = 0.02
"""The margin of equivalence of two methods: this share of the smaller error …"""

ACCURACY_APART = 0.01
"""… and this accuracy."""

GOOD_DIMENSIONS = (10, 100)
"""The paper says that good codes have more than the first and fewer than the second number."""

SATURATED = 0.01
"""The k-NN accuracy by which a good code may be below the best of the sweep."""

READABLE = 0.01
"""The linear probe's accuracy by which a good code may be below raw pixels."""

WORTHWHILE = 0.5
"""The largest ratio of a good code's error to PCA's that justifies the network."""

CLASSIFIER_SHARE = 0.95
"""The share of the k-NN accuracy on raw pixels that codes for a classifier must reach."""

COMPRESSION = 10.0
"""The smallest ratio of the image's bytes to the code's bytes that counts as compression."""

ADDED_SHARE = 0.01
"""The largest share of the squared error that storing a code in 8 bits may add."""

PRICE = 1.05
"""The smallest ratio of the VAE's error to that without a prior that shows its price."""

ROBUST = 1.5
"""The largest ratio of the error on noisy digits to the plain one's on clean digits."""

HINTON_CODES = 30
"""The dimension of the codes of the next two values."""

HINTON = 3.00
"""Squared error per test image, 30 codes (Hinton & Salakhutdinov 2006)."""

HINTON_PCA = 13.87
"""The same of PCA with 30 components (Hinton & Salakhutdinov 2006)."""

BURDA = 86.76
"""-log p, nats per test image; VAE, one layer, K = 1 (Burda et al. 2015, table 1)."""

LIKELIHOOD_MARGIN = 1.0
"""The nats by which -log p may exceed the published value and still reproduce it."""
