"""matplotlib's backend in the process that executes reports: each figure is laid out and drawn once.

The backend of notebooks draws a figure when its cell ends, again to find where it ends, and a third time into the
picture. Figures that have a layout engine, as all of csat's have, know where they end.
"""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from IPython.core.getipython import get_ipython
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib_inline import backend_inline
from PIL import Image

#: A little larger than the smallest, in half the time.
QUICK = {"compress_level": 3}
show = backend_inline.show


class FigureCanvas(FigureCanvasAgg):
    """Draws into pictures only."""

    def draw_idle(self, *args: Any, **kwargs: Any) -> None:
        """Draw nothing: nobody looks before the picture is made."""

    def print_figure(self, filename: Any, *args: Any, bbox_inches: Any = None, **options: Any) -> Any:
        """Make the picture; "tight" only crops what no layout engine has fitted into it."""
        plain = not args and options.get("format") == "png" and options.get("bbox_extra_artists") is None
        if not plain or bbox_inches != "tight" or not _fitted(self.figure):
            return super().print_figure(filename, *args, bbox_inches=bbox_inches, **options)
        before = self.figure.dpi
        try:
            self.figure.dpi = options.get("dpi") or before
            self.draw()
            # Nothing shines through a page: without its fourth channel a picture takes half the time.
            picture = Image.fromarray(np.asarray(self.buffer_rgba())[..., :3])
            picture.save(
                filename, format="png", dpi=(self.figure.dpi,) * 2, **QUICK | (options.get("pil_kwargs") or {})
            )
        finally:
            self.figure.dpi = before


def _fitted(figure: Figure) -> bool:
    """Whether everything of a figure is within its edges: by a layout engine, or because csat drew it."""
    return figure.get_layout_engine() is not None or hasattr(figure, "_repr_mimebundle_")


def new_figure_manager(num: int | str, *args: Any, FigureClass: type[Figure] = Figure, **kwargs: Any) -> Any:
    """Make a figure and its manager."""
    return new_figure_manager_given_figure(num, FigureClass(*args, **kwargs))


def new_figure_manager_given_figure(num: int | str, figure: Figure) -> Any:
    """Make a figure's manager, which shows the figure at the end of its cell."""
    manager = backend_inline.new_figure_manager_given_figure(num, figure)
    manager.canvas = FigureCanvas(figure)
    manager.canvas.manager = manager
    return manager


def _configure() -> None:
    shell = get_ipython()
    if shell is not None:
        matplotlib.interactive(True)
        backend_inline.configure_inline_support(shell, "inline")


_configure()
