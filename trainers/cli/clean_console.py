"""A console that cleans every text before it is measured and printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from trainers.plain_text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType
    from rich.segment import Segment


class CleanConsole(Console):
    """A console on which no text sends escape sequences; those of its own styles are sent."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Cleans a string, then makes a text of it."""
        return super().render_str(clean_text(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Cleans a text, then renders it."""
        if isinstance(renderable, Text) and clean_text(renderable.plain) != renderable.plain:
            renderable = renderable.copy()
            renderable.plain = clean_text(renderable.plain)
        return super().render(renderable, options)
