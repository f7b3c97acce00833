"""Where a verdict turns, and what others have published: every number that claims are judged by."""

from __future__ import annotations

LARGEST_ANGLE = 5.0
"""Degrees up to which two planes are called the same."""

FLOOR_MARGIN = 1.02
"""Error over PCA's up to which a linear autoencoder has arrived."""

SPREADS_APART = 2.0
"""Two methods differ where their means are more than so many half ranges of the seeds apart …"""

ERROR_APART = 0.02
"""… and by more than this share of the smaller error …"""

ACCURACY_APART = 0.01
"""… or by more than this accuracy."""

GOOD_DIMENSIONS = (10, 100)
"""Good codes have more than the first and fewer than the second dimensions, says the paper."""

SATURATED = 0.01
"""k-NN accuracy that a good code may lack of the sweep's best."""

READABLE = 0.01
"""Linear probe's accuracy that a good code may lack of raw pixels."""

WORTHWHILE = 0.5
"""Error over PCA's up to which a good code earns its network."""

CLASSIFIER_SHARE = 0.95
"""Of raw pixels' k-NN accuracy, what codes must keep to serve a classifier."""

COMPRESSION = 10.0
"""Bytes of the image over bytes of the code from which it is compressed."""

ADDED_SHARE = 0.01
"""Of the squared error, what storing a code in 8 bits may add."""

PRICE = 1.05
"""VAE's error over ELU's from which it has paid for its prior."""

ROBUST = 1.5
"""Error on noisy digits, over the plain autoencoder's on clean ones, that is still robust."""

HINTON_CODES = 30
"""Numbers in the codes of the next two."""

HINTON = 3.00
"""Squared error per test image, 30 codes (Hinton & Salakhutdinov 2006)."""

HINTON_PCA = 13.87
"""The same of PCA with 30 components (Hinton & Salakhutdinov 2006)."""

BURDA = 86.76
"""-log p, nats per test image; VAE, one layer, K = 1 (Burda et al. 2015, table 1)."""

LIKELIHOOD_MARGIN = 1.0
"""Nats by which a -log p may miss the published one and still reproduce it."""
