"""All that explores the latent space of the current run, made together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeviewer.services.alignments import Alignments
from aeviewer.services.cloud import Cloud
from aeviewer.services.colouring import Colouring
from aeviewer.services.directions import Directions
from aeviewer.services.drawing import Drawing
from aeviewer.services.exploration import Exploration
from aeviewer.services.heat import Heat
from aeviewer.services.hovering import Hovering
from aeviewer.services.inspection import Inspection
from aeviewer.services.layouts import Layouts
from aeviewer.services.mosaic import Mosaic
from aeviewer.services.playback import Playback
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
    mosaic, heat, hovering, inspection, walk, drawing, directions
        The decoder's images of the plane, a quantity over it, the image under the mouse, the
        marked code, the way between two pins, what a person drew, what varies around the code.
    alignments, playback
        How checkpoints are turned onto the last one; the codes gliding from each to the next.
    layouts
        t-SNE and UMAP of the codes, in the place of a plane.
    """

    def __init__(self, session: Session, compute: ComputeThread) -> None:
        self.session, self.compute = session, compute
        self.alignments = Alignments(session, compute)
        self.exploration = Exploration(session, Cloud(session, compute), self.alignments)
        self.playback = Playback(self.exploration, compute)
        self.layouts = Layouts(self.exploration)
        self.mosaic = Mosaic(self.exploration, compute)
        self.heat = Heat(self.exploration, compute)
        self.hovering = Hovering(self.exploration, compute)
        self.inspection = Inspection(self.exploration, compute)
        self.colouring = Colouring(self.exploration, compute)
        self.drawing = Drawing(self.exploration, compute)
        self.directions = Directions(self.exploration, compute)
        self.walk = Walk(self.exploration, compute)

    def close(self) -> None:
        """Ends what is at work outside the compute thread."""
        self.layouts.close()
