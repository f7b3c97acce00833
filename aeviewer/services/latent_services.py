"""All that explores the latent space of the current run, made together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeviewer.services.latent.alignment import AlignmentService
from aeviewer.services.latent.directions import DirectionsService
from aeviewer.services.latent.displayed_codes import DisplayedCodes
from aeviewer.services.latent.drawing import DrawingService
from aeviewer.services.latent.embedding import Embeddings
from aeviewer.services.latent.hover_error import HoverError
from aeviewer.services.latent.latent_state import LatentState
from aeviewer.services.latent.mosaic import Mosaic
from aeviewer.services.latent.overlay import PlaneOverlay
from aeviewer.services.latent.path import PathService
from aeviewer.services.latent.point_colours import PointColours
from aeviewer.services.latent.point_details import PointInspector
from aeviewer.services.timeline.playback import Playback

if TYPE_CHECKING:
    from aeviewer.services.compute.compute_thread import ComputeThread
    from aeviewer.services.runs.session import Session


class LatentServices:
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
        self.alignments = AlignmentService(session, compute)
        self.latent_state = LatentState(session, DisplayedCodes(session, compute), self.alignments)
        self.playback = Playback(self.latent_state, compute)
        self.embeddings = Embeddings(self.latent_state)
        self.mosaic = Mosaic(self.latent_state, compute)
        self.overlay = PlaneOverlay(self.latent_state, compute)
        self.hover_error = HoverError(self.latent_state, compute)
        self.point_inspector = PointInspector(self.latent_state, compute)
        self.point_colours = PointColours(self.latent_state, compute)
        self.drawing = DrawingService(self.latent_state, compute)
        self.directions = DirectionsService(self.latent_state, compute)
        self.path_service = PathService(self.latent_state, compute)

    def close(self) -> None:
        """Ends what is at work outside the compute thread."""
        self.embeddings.close()
