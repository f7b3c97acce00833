"""All that explores the latent space of the current run, made together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeviewer.services.latent.alignment import Alignments
from aeviewer.services.latent.directions import Directions
from aeviewer.services.latent.displayed_codes import Cloud
from aeviewer.services.latent.drawing import Drawing
from aeviewer.services.latent.embedding import Layouts
from aeviewer.services.latent.hover_error import Hovering
from aeviewer.services.latent.latent_state import Exploration
from aeviewer.services.latent.mosaic import Mosaic
from aeviewer.services.latent.overlay import Heat
from aeviewer.services.latent.path import Walk
from aeviewer.services.latent.point_colours import Colouring
from aeviewer.services.latent.point_details import Inspection
from aeviewer.services.timeline.playback import Playback

if TYPE_CHECKING:
    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.runs.session import Session


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
