"""The nets of Wong & Kolter's Table 1, plain and provable, with nets trained against PGD between them.

The paper trains for 100 epochs on Algorithm 1's bound: on a GPU, ``steps=120_000, batch_size=50, warmup=0, mixed=0,
start=None, falling=False`` is its schedule. These are a cheaper one for a core without a GPU: most steps on interval
bounds, a twentieth of the price; then steps that take them for the hidden units alone; the last ones on Algorithm 1's,
the learning rate falling to 0. (Algorithm 1's bound of a net that was trained on interval bounds alone is loose.)
"""

from dataclasses import replace

from lecture13.zoo.robust import Robust

_PLAIN = Robust(
    name="mnist-plain",
    about="the MNIST net of Wong & Kolter, trained plainly, on MNIST",
    data="mnist",
    defence="plain",
    epsilon=0.1,
    steps=4000,
    batch_size=100,
    learning_rate=1e-3,
    falling=True,
    every=50,
)
_ADVERSARIAL = replace(
    _PLAIN,
    name="mnist-adversarial",
    about="the MNIST net of Wong & Kolter, trained against PGD at ε = .1, on MNIST",
    defence="adversarial",
    steps=2000,
    attack_steps=7,
)
_INTERVAL = replace(
    _PLAIN,
    name="mnist-interval",
    about="the MNIST net of Wong & Kolter, trained on interval bounds at ε = .1, at last on Algorithm 1's, on MNIST",
    defence="provable",
    steps=9000,
    warmup=8400,
    every=1,
)
_PROVABLE = replace(
    _INTERVAL,
    name="mnist-provable",
    about="the MNIST net of Wong & Kolter, trained on a provable bound at ε = .1, on MNIST",
    start="mnist-interval",
    first_epsilon=0.1,
    learning_rate=5e-4,
    steps=4500,
    warmup=0,
    mixed=4250,
)


#: the same in one go
_WHOLE = replace(_INTERVAL, name=_PROVABLE.name, about=_PROVABLE.about, steps=14_000, warmup=11_500, mixed=2300)


def _other(recipe: Robust, data: str, title: str, **changes) -> Robust:
    """The same recipe on other data."""
    name, about = recipe.name.replace("mnist", data), recipe.about.replace("on MNIST", f"on {title}")
    start = recipe.start and recipe.start.replace("mnist", data)
    return replace(recipe, **({"data": data, "name": name, "about": about, "start": start} | changes))


def _fashion(recipe: Robust, **changes) -> Robust:
    changed = _other(recipe, "fashion", "Fashion-MNIST", **changes)
    return replace(changed, data="fashion-mnist")


def _digits(recipe: Robust, **changes) -> Robust:
    return _other(recipe, "digits", "scikit-learn's handwritten digits at 28×28", **changes)


RECIPES = (
    _digits(_PLAIN, steps=800, every=4),
    _digits(_ADVERSARIAL, steps=800),
    _digits(_WHOLE, batch_size=50, steps=2200, warmup=1400, mixed=600),
    _PLAIN,
    _ADVERSARIAL,
    _INTERVAL,
    _PROVABLE,
    _fashion(_PLAIN),
    _fashion(_INTERVAL),
    _fashion(_PROVABLE, steps=1600, mixed=1500),
    replace(
        _other(_WHOLE, "har", "UCI HAR", epsilon=0.05, widths=(561, 500, 6), size=None),
        about="561-500-6, trained on a provable bound at ε = .05, on UCI HAR",
    ),
    replace(
        _other(_WHOLE, "svhn", "SVHN", epsilon=0.01, batch_size=20, size=32),
        about="the MNIST net of Wong & Kolter for colour, trained on a provable bound at ε = .01, on SVHN",
        options={"in_channels": 3, "size": 32},
    ),
)
