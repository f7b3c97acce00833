"""What the mouse does, and which key does the same."""

from __future__ import annotations

from html import escape

ROWS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "In the latent space",
        (
            ("Press or drag", "Arrows (Shift: farther)", "decode that place"),
            ("Click on a code", "Return", "mark that very code"),
            ("Ctrl and a click", "P", "pin the code"),
            ("", "U", "let go of the last pin"),
            ("Lasso: Shift and a drag", "K", "select codes; by key, the 100 nearest"),
            ("Rectangle and a drag", "R, arrows, R", "select the codes in a rectangle"),
            ("", "Esc", "select none"),
            ("Pointer, Lasso", "D, L", "what the left button does"),
            ("Wheel", "+, −", "zoom"),
            ("Right drag", "", "pan"),
            ("Show all", "A, Home", "show all codes, and follow them"),
            ("Layers", "M", "decoded images on, off"),
        ),
    ),
    (
        "Everywhere",
        (
            ("Edit menu", "Ctrl+Z, Ctrl+Shift+Z", "undo, redo what was moved, pinned, selected"),
            ("Edit menu", "Ctrl+Shift+X, Ctrl+Shift+V", "copy the code as text, paste one"),
            ("Train", "Ctrl+Return", "train"),
            ("Pause", "Ctrl+P", "pause, or go on"),
            ("Stop", "Ctrl+.", "stop, keeping what was learnt"),
            ("Run menu", "Ctrl+Shift+.", "stop all runs, and empty the queue"),
            ("Timeline", "Ctrl+Left, Ctrl+Right", "the checkpoint before, after"),
            ("Play", "Ctrl+Space", "play the checkpoints"),
            ("Runs list", "F2, Del, Space", "rename, delete, show or hide a run"),
            ("Ctrl and clicks on runs", "Ctrl+Shift+C", "compare the selected runs"),
        ),
    ),
)


def page() -> str:
    """All of it as a table, in HTML."""
    lines = [
        '<table cellpadding="3"><tr><th align="left">Mouse</th><th align="left">Keys</th></tr>'
    ]
    for title, rows in ROWS:
        lines.append(f'<tr><td colspan="3"><br/><i>{escape(title)}</i></td></tr>')
        for mouse, keys, meaning in rows:
            cells = f"<td>{escape(mouse)}</td><td><b>{escape(keys)}</b></td>"
            lines.append(f"<tr>{cells}<td>{escape(meaning)}</td></tr>")
    return "".join([*lines, "</table>"])
