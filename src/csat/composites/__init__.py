"""Partial least squares path models (PLS): composites of items, paths between them, design-based uncertainty.

Everything follows from the covariance matrix of the items, so that weights, designs, replicates and published matrices
all work alike. Lohmöller (1989), Latent Variable Path Modeling with Partial Least Squares; Dijkstra & Henseler (2015),
MIS Quarterly 39(2), 297–316.
"""

from csat.composites.estimate import pls
from csat.composites.invariance import Micom, micom
from csat.composites.ipma import Ipma
from csat.composites.multigroup import PlsDifferences, pls_differences
from csat.composites.predict import pls_predict
from csat.composites.prediction import Prediction
from csat.composites.result import Pls
from csat.composites.segments import Segments, pls_segments
from csat.composites.slopes import Slopes, pls_slopes

__all__ = [
    "Ipma",
    "Micom",
    "Pls",
    "PlsDifferences",
    "Prediction",
    "Segments",
    "Slopes",
    "micom",
    "pls",
    "pls_differences",
    "pls_predict",
    "pls_segments",
    "pls_slopes",
]
