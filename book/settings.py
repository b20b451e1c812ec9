"""Where things lie, and the settings of ``_config.yml`` that the publishing house reads."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "_build"
PROFILES = ("smoke", "laptop", "full")


class BuildError(Exception):
    """What a reader of the log should see instead of a traceback: what is wrong, and the way out."""


def config() -> dict:
    """``_config.yml`` as it stands."""
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


def repository_url() -> str:
    """The one address of the repository: launch buttons and install cells are made from it.

    Raises:
        BuildError: when ``repository: url:`` of ``_config.yml`` is missing or no https address.
    """
    url = str(config().get("repository", {}).get("url") or "").rstrip("/")
    if not url.startswith("https://"):
        raise BuildError(f"_config.yml: repository: url: is {url!r}; expected the https address of your repository")
    return url


def shows_solutions() -> bool:
    """``course: solutions:`` of ``_config.yml``: whether the site has the cells tagged ``solution``."""
    value = config().get("course", {}).get("solutions", True)
    if not isinstance(value, bool):
        raise BuildError(f"_config.yml: course: solutions: is {value!r}; expected true or false")
    return value


def notebook_paths(names: list[str] | None = None) -> list[Path]:
    """The notebooks by number; with ``names`` (``09`` or ``09_fast_gradient_sign``) only those.

    Raises:
        BuildError: when a name fits no notebook.
    """
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    if not names:
        return paths
    known = ", ".join(path.stem for path in paths) or "none"
    for name in names:
        if not any(_fits(path, name) for path in paths):
            raise BuildError(f"no notebook {name!r} in {NOTEBOOKS}; there are: {known}")
    return [path for path in paths if any(_fits(path, name) for name in names)]


def _fits(path: Path, name: str) -> bool:
    return path.stem == Path(name).stem or path.stem.split("_")[0] == name
