"""Runs too long for a notebook and too small for the papers' tables, recorded with their origin.

A grid of trainings on a laptop's budget is no result to stand in the paper's own table (:mod:`lecture13.papers.records`
takes only full runs), yet a chapter wants to show it. Its numbers lie in ``recorded/runs/<name>.json``, its pictures
beside it in ``<name>.webp``, without loss.

- :mod:`~lecture13.papers.runs.bedrooms`: the DCGAN after one pass and after five, Radford et al. 2016, Figures 2 and 3
- :mod:`~lecture13.papers.runs.deepfool`: three attacks on four classifiers, Moosavi-Dezfooli et al. 2016, Table 1
- :mod:`~lecture13.papers.runs.editing`: units of generators removed and inserted, Bau et al. 2020, Figure 4
- :mod:`~lecture13.papers.runs.fgsm`: one step against a softmax and maxout nets on MNIST, Goodfellow et al. 2015
- :mod:`~lecture13.papers.runs.figure2`: seven architectures by four methods, Gulrajani et al. 2017, Figure 2
- :mod:`~lecture13.papers.runs.figure3`: a score over iterations and seconds, Gulrajani et al. 2017, Figure 3
- :mod:`~lecture13.papers.runs.graffiti`: stickers on stop signs against GTSRB-CNN, Eykholt et al. 2018, Table 5
- :mod:`~lecture13.papers.runs.objects`: every solid painted as every other, Athalye et al. 2018, Table 2
- :mod:`~lecture13.papers.runs.photographs`: units of a net that reads photographs, Bau et al. 2020, Figures 1 and 2
- :mod:`~lecture13.papers.runs.sparsity`: front end and sparse network under attack, Gopalakrishnan et al. 2018
- :mod:`~lecture13.papers.runs.provable`: nets trained on a provable bound, Wong & Kolter 2018, Table 1
- :mod:`~lecture13.papers.runs.spatial`: rotations and translations of real digits and signs, Engstrom et al. 2018
- :mod:`~lecture13.papers.runs.transfer`: images made on four nets, shown to the fifth, Liu et al. 2017, Table 4

>>> python -m lecture13.papers.runs.figure2 FOLDER --profile laptop
"""

from lecture13.papers.runs.store import Origin, read, read_picture, write, write_picture

__all__ = ["Origin", "read", "read_picture", "write", "write_picture"]
