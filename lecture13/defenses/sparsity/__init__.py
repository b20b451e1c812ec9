"""Robustness by sparsity (Gopalakrishnan et al. 2018): a front end that keeps K coefficients, and sparse networks.

>>> front = SparseFrontEnd(27, wavelet="coif1", shape=(1, 28, 28))       # K = 27 of N = 784
>>> defended = nn.Sequential(front, network)
>>> adaptive = nn.Sequential(front.through("projection"), network)       # what an attacker differentiates
>>> fit(projected(supervised(network, …), network, gammas), …)           # network sparsity: ‖w_i‖₁ ≤ γ_j
>>> propagation_bound(network, epsilon)                                  # Theorem 2

Neither is a certificate for the class: they make the fall gentler, and how much has to be measured under attacks that
know of them.
"""

from lecture13.defenses.sparsity.front_end import GRADIENTS, SparseFrontEnd
from lecture13.defenses.sparsity.propagation import polytope_growth, propagation_bound, stages, worst_growth
from lecture13.defenses.sparsity.rows import (
    layers,
    project_network_,
    project_rows_l1_,
    projected,
    row_norms,
    sparsity,
)
from lecture13.defenses.sparsity.wavelets import Wavelet

__all__ = [
    "GRADIENTS",
    "SparseFrontEnd",
    "Wavelet",
    "layers",
    "polytope_growth",
    "project_network_",
    "project_rows_l1_",
    "projected",
    "propagation_bound",
    "row_norms",
    "sparsity",
    "stages",
    "worst_growth",
]
