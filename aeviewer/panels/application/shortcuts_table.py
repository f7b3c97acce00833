"""The mouse actions, and the keys that do the same."""

from __future__ import annotations

from html import escape

ROWS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "In the latent space",
        (
            ("Press or drag", "Arrows (Shift: farther)", "decode that place"),
            ("In t-SNE or UMAP", "Arrows", "decode the nearest code; the next in that direction"),
            ("Click on a code", "Return", "mark that very code"),
            ("Ctrl and a click", "P", "pin the code"),
            ("", "U", "let go of the last pin"),
            ("Lasso: Shift and a drag", "K", "select codes; by key, the 100 nearest"),
            ("Rectangle and a drag", "R, arrows, R", "select the codes in a rectangle"),
            ("", "Esc", "select none"),
            ("Pointer, Lasso", "D, L", "what the left button does"),
            ("Wheel", "+, −", "zoom"),
            ("Right drag", "Alt+arrows", "pan"),
            ("Show all", "A, Home", "show all codes, and follow them"),
            ("Layers", "M", "decoded images on, off"),
        ),
    ),
    (
        "In the grids of directions and samples",
        (
            ("Point", "Arrows, Home, End", "tell what an image is"),
            ("Click", "Return", "mark the code of that image"),
        ),
    ),
    (
        "On the drawing pad",
        (
            ("Drag", "Arrows (Shift: farther), Space", "draw; Space lowers or lifts the pen"),
            ("Right drag, Eraser", "", "erase"),
            ("Clear", "Del", "erase everything"),
            ("Undo", "Ctrl+Z, Ctrl+Shift+Z", "undo, redo on the pad"),
            ("Paste, drop an image", "Ctrl+V", "use an image; black on white is inverted"),
        ),
    ),
    (
        "Everywhere",
        (
            ("Edit menu", "Ctrl+Z, Ctrl+Shift+Z", "undo or redo a move, a pin, a selection"),
            ("Edit menu", "Ctrl+Shift+X, Ctrl+Shift+V", "copy the code as text, or paste one"),
            ("Drop a folder, an array, IDX files", "Ctrl+I, Ctrl+Shift+I", "import images"),
            ("Train", "Ctrl+Return", "train"),
            ("Pause", "Ctrl+P", "pause or continue"),
            ("Stop", "Ctrl+.", "stop and save"),
            ("Run menu", "Ctrl+Shift+.", "stop all runs and clear the queue"),
            ("Timeline", "Ctrl+Left, Ctrl+Right", "the previous or next checkpoint"),
            ("Play", "Ctrl+Space", "play the checkpoints"),
            ("Align", "Ctrl+L", "align the codes of all checkpoints with the last one, or not"),
            ("Right click on a picture", "Menu or Shift+F10; Ctrl+C", "copy it, save as PNG, SVG"),
            ("File menu, Pictures", "Alt+F, P", "the same for every picture on the screen"),
            ("Run menu, Export", "Ctrl+E", "export the run as files for other programs"),
            ("File menu, Open run; a drop", "Ctrl+Shift+O", "open the archive of a run"),
            ("Timeline menu, Save film", "Ctrl+Shift+F", "save the playback as a GIF or MP4"),
            ("Runs list", "F2, Del, Space", "rename, delete, show or hide a run"),
            ("Ctrl and clicks on runs", "Ctrl+Shift+C", "compare the selected runs"),
        ),
    ),
)


def shortcuts_page() -> str:
    """Returns all of them as an HTML table."""
    lines = [
        '<table cellpadding="3"><tr><th align="left">Mouse</th><th align="left">Keys</th></tr>'
    ]
    for title, rows in ROWS:
        lines.append(f'<tr><td colspan="3"><br/><i>{escape(title)}</i></td></tr>')
        for mouse, keys, meaning in rows:
            cells = f"<td>{escape(mouse)}</td><td><b>{escape(keys)}</b></td>"
            lines.append(f"<tr>{cells}<td>{escape(meaning)}</td></tr>")
    return "".join([*lines, "</table>"])
