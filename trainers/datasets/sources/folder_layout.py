"""What the folders around image files mean: wrappers, splits or classes."""

from __future__ import annotations

from dataclasses import dataclass, field

from trainers.datasets.sources.array_names import Split, split_of_name

_Path = tuple[str, ...]


@dataclass
class FolderLayout:
    """The meaning of the folders of a source.

    Attributes
    ----------
    files
        The image files that are taken, from the source's folder on, with / between.
    folders
        The folder that is the class of each file; empty where it lies in none.
    splits
        The split of each file; None where the folders are no splits.
    notes
        What was decided, in sentences for the user.
    """

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    splits: list[Split] | None = None
    notes: list[str] = field(default_factory=list)


def find_layout(files: list[str]) -> FolderLayout:
    """Finds out what the folders around files mean.

    A folder that alone holds all images is a wrapper: it is passed through. Folders that are named
    train and test (or val) are splits, in whatever spelling, and the folders in them the classes.
    Otherwise the folders are the classes.

    Parameters
    ----------
    files
        The image files, from the source's folder on, with / between.
    """
    found = FolderLayout()
    paths = {file: tuple(file.split("/")) for file in sorted(files)}
    wrappers = _count_wrappers([*paths.values()])
    if wrappers:
        names = "/".join(next(iter(paths.values()))[:wrappers])
        found.notes.append(f"All images lie in {names}/, which is not taken as a class.")
    inner = {file: path[wrappers:] for file, path in paths.items()}
    tops = sorted({path[0] for path in inner.values() if len(path) > 1})
    splits = _find_splits(tops)
    if splits:
        _take_splits(found, inner, splits)
    else:
        for file, path in inner.items():
            found.files.append(file)
            found.folders.append(path[0] if len(path) > 1 else "")
    return found


def _count_wrappers(paths: list[_Path]) -> int:
    """Returns how many folders, one in the other, alone hold all images."""
    count = 0
    while paths and all(len(path) > count + 1 for path in paths):
        if len({path[count] for path in paths}) > 1:
            break
        count += 1
    return count


def _find_splits(tops: list[str]) -> dict[str, Split]:
    """Returns the split of each folder that is one; nothing where folders are no splits.

    A class may be called train as well. Folders are therefore splits only if all of them are named
    so, or if one is for training and another for testing or validation.
    """
    named = {top: split for top in tops if (split := split_of_name(top)) is not None}
    kinds = set(named.values())
    is_all = len(named) == len(tops) and len(kinds) > 1
    return named if is_all or ("train" in kinds and len(kinds) > 1) else {}


def _take_splits(found: FolderLayout, inner: dict[str, _Path], splits: dict[str, Split]) -> None:
    found.splits = []
    wrappers = {
        top: _count_split_wrappers([path for path in inner.values() if path[0] == top])
        for top in splits
    }
    left: dict[str, int] = {}
    for file, path in inner.items():
        split = splits.get(path[0]) if len(path) > 1 else None
        if split is None:
            place = f"{path[0]}/" if len(path) > 1 else "no folder"
            left[place] = left.get(place, 0) + 1
            continue
        rest = path[wrappers[path[0]] :]
        found.files.append(file)
        found.splits.append(split)
        found.folders.append(rest[0] if len(rest) > 1 else "")
    for place, count in left.items():
        found.notes.append(f"{count:,} images in {place} are left out: it is not a split.")


def _count_split_wrappers(paths: list[_Path]) -> int:
    """Returns how many folders of a split are no classes: its own, and a wrapper of its name."""
    count = 1
    while all(len(path) > count + 1 for path in paths):
        names = {path[count] for path in paths}
        is_split = len(names) == 1 and split_of_name(paths[0][count]) is not None
        if len(names) > 1 or not (is_split or all(len(path) > count + 2 for path in paths)):
            break
        count += 1
    return count


def natural_key(name: str) -> tuple[int, int, str]:
    """Returns a key that sorts numbers by their value, then words."""
    is_number = name.isascii() and name.isdigit()
    return (0, int(name), name) if is_number and len(name) < 10 else (1, 0, name)
