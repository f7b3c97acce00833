"""All that explores the latent space of the current run, made together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeviewer.services.cloud import Cloud
from aeviewer.services.colouring import Colouring
from aeviewer.services.drawing import Drawing
from aeviewer.services.exploration import Exploration
from aeviewer.services.heat import Heat
from aeviewer.services.inspection import Inspection
from aeviewer.services.layouts import Layouts
from aeviewer.services.mosaic import Mosaic
from aeviewer.services.walk import Walk

if TYPE_CHECKING:
    from aeviewer.services.compute import ComputeThread
    from aeviewer.services.session import Session


class Exploring:
    """What is explored, and who works it out.

    Parameters
    ----------
    session
        Watched.
    compute
        Asked.

    Attributes
    ----------
    exploration, colouring
        Plane, pins, selection; what the points are coloured by.
    layouts
        t-SNE and UMAP of the codes, in the place of a plane.
    mosaic, heat, inspection, walk, drawing
        The decoder's images of the plane, a quantity over it, the marked code, the way between
        two pins, what a person drew.
    """

    def __init__(self, session: Session, compute: ComputeThread) -> None:
        self.session, self.compute = session, compute
        self.exploration = Exploration(session, Cloud(session, compute))
        self.layouts = Layouts(self.exploration)
        self.mosaic = Mosaic(self.exploration, compute)
        self.heat = Heat(self.exploration, compute)
        self.inspection = Inspection(self.exploration, compute)
        self.colouring = Colouring(self.exploration, compute)
        self.drawing = Drawing(self.exploration, compute)
        self.walk = Walk(self.exploration, compute)

    def close(self) -> None:
        """Ends what is at work outside the compute thread."""
        self.layouts.close()
