"""A cache of loaded models: recently used checkpoints, and the model in training.

Only the compute thread uses it. Importing this module does not load torch; the first model does.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from aeviewer.services.runs.model_source import ModelSource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trainers.events import Preview
    from trainers.exploration.density import Support
    from trainers.inference import TrainedModel
    from trainers.runs import Run
    from trainers.training.trainer import Trainer

_MAX_MODELS = 8
_CHUNK = 1_000
_MAX_ERRORS = 500


class ModelCache:
    """Finds the model of a run at a step; keeps the most recently used ones.

    Attributes
    ----------
    live
        The trainer whose model can be asked while it learns.
    """

    def __init__(self) -> None:
        self.live: Trainer | None = None
        self._models: OrderedDict[tuple[str, int], TrainedModel] = OrderedDict()
        self._support: tuple[NDArray[np.float32], Support] | None = None
        self._errors: tuple[NDArray[np.float32], ...] | None = None

    def at(self, run: Run, step: int | None) -> TrainedModel:
        """Returns the model of a checkpoint; the live model where `step` is None.

        Raises
        ------
        RunError
            When there is no such checkpoint, or it is damaged.
        """
        from trainers.inference import TrainedModel, load

        if step is None and self.live is not None and self.live.run.path == run.path:
            return TrainedModel(self.live.model, self.live.step)
        place = (str(run.path), run.checkpoint(step).step)
        if place not in self._models:
            self._models[place] = load(run, place[1])
            if len(self._models) > _MAX_MODELS:
                self._models.popitem(last=False)
        self._models.move_to_end(place)
        return self._models[place]

    def source(self, run: Run, step: int | None) -> ModelSource:
        """Returns the name, the step and the kind of the model that `at` returns."""
        is_live = step is None and self.live is not None and self.live.run.path == run.path
        return ModelSource(run.name, self.at(run, step).step, is_live)

    def forget(self, run: Run) -> None:
        """Removes the checkpoints of a run whose weights are about to change."""
        path = str(run.path)
        for place in [place for place in self._models if place[0] == path]:
            del self._models[place]

    def support(self, codes: NDArray[np.float32]) -> Support:
        """Returns the typicality of codes among (n, d) codes; the last one is kept."""
        from trainers.exploration.density import Support

        if self._support is None or self._support[0] is not codes:
            self._support = codes, Support(codes)
        return self._support[1]

    def typical_errors(
        self, run: Run, step: int | None, codes: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns how badly test images are reconstructed by the model of a step.

        Parameters
        ----------
        codes
            (n, d), those of the test images first. The errors for the last codes are kept.

        Returns
        -------
        (k, 2), the `misfits` of at most 500 test images, evenly spread; and their mean image.
        """
        import numpy as np

        from trainers.evaluation.image_errors import misfits

        if self._errors is None or self._errors[0] is not codes:
            images = run.data().test.images
            chosen = np.arange(0, len(images), max(1, len(images) // _MAX_ERRORS))[:_MAX_ERRORS]
            decoded = self.at(run, step).decode(codes[chosen])
            some = images[chosen] / np.float32(255)
            mean = some.mean(axis=0)
            self._errors = codes, misfits(decoded, some, mean), mean
        _codes, errors, mean = self._errors
        return errors, mean

    def preview(self, run: Run, step: int | None) -> Preview:
        """Computes the codes of the test images and the reconstructions of the preview images.

        Raises
        ------
        RunError
            As in `at`.
        """
        import numpy as np

        from trainers.events import Preview

        model, data = self.at(run, step), run.data()
        images = data.test.images
        parts = -(-len(images) // _CHUNK)
        codes = np.concatenate([model.encode(chunk) for chunk in np.array_split(images, parts)])
        decoded = model.decode(codes[list(data.preview)]).clip(0, 1) * 255
        return Preview(model.step, codes, decoded.round().astype(np.uint8))
