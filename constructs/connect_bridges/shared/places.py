"""Where to find what the constructs deploy: Lambda sources and flow templates, in a checkout and in the wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import connect_bridges


@cache
def data_folder(name: str) -> Path:
    """Return the folder ``runtime`` or ``flows``.

    The wheel carries them inside the package, as data; in a checkout they are at its root. Raises
    ``FileNotFoundError`` naming both places if neither holds it.
    """
    package = Path(connect_bridges.__file__).parent
    places = (package / "_data" / name, package.parents[1] / name)
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"{name} is neither in {places[0]} nor in {places[1]}; install connect-bridges again "
        "(in a checkout: make setup)."
    )
