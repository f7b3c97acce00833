"""All services of the latent space of the current run."""

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
    """Makes the services of the latent space.

    Parameters
    ----------
    session
        Watched.
    compute
        Computes.

    Attributes
    ----------
    latent_state, point_colours
        Plane, pins and selection; the values that colour the points.
    mosaic, overlay, hover_error, point_inspector, path_service, drawing, directions
        Decoded images of the plane, a scalar field over it, the image under the mouse, the marked
        code, the path between two pins, the user's drawing, local directions around the code.
    alignments, playback
        The alignment of checkpoints to the last one; codes moving from checkpoint to checkpoint.
    embeddings
        t-SNE and UMAP embeddings of the codes, which take the place of a plane.
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
        """Stops what runs outside the compute thread."""
        self.embeddings.close()
