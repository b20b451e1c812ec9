"""Four siblings of the sign classifier, to be rotated and shifted: trained without poses, with, and on a canvas.

They differ in what they are shown, and in nothing else. ``sign-classifier`` itself has seen turns of 5° and shifts of
5 %, as much as a random crop moves an image.
"""

from dataclasses import replace

from lecture13.zoo.augment import Jitter
from lecture13.zoo.recipes import sign_classifier
from lecture13.zoo.spatial import Spatial

PLAIN = Spatial(
    **vars(sign_classifier.RECIPE)
    | {
        "name": "sign-classifier-plain",
        "about": "sign classifier that has never seen an image moved",
        "augment": (Jitter(0.15, noise=0.03),),
    }
)
ROTATED = replace(
    PLAIN,
    name="sign-classifier-rotated",
    about="sign classifier trained on random rotations within 30° and translations within 10 %",
    tries=1,
)
WORST = replace(
    PLAIN,
    name="sign-classifier-worst-of-10",
    about="sign classifier trained on the worst of ten random poses of every image",
    tries=10,
)
CANVAS = replace(
    PLAIN,
    name="sign-classifier-canvas",
    about="sign classifier whose images lie on a black canvas, on which no pose loses a part of them",
    augment=sign_classifier.RECIPE.augment,
    canvas=True,
)
RECIPES = (PLAIN, ROTATED, WORST, CANVAS)
