"""What the program promises when things go wrong, and what came of trying.

`docs/reliability.md` is made from `docs/reliability.json`, and that from these commands::

    uv run python -m tests.reliability            every promise that pytest tests, slow ones too
    uv run python -m tests.reliability -k deaths  some of them, by a word of their tests' names
    uv run python -m tests.reliability --render   the page anew from the rows that are there

**A promise that a test of pytest holds us to** is a line in `promises.py`, which names the test. A
test that tries many things says how many by pytest's own ``record_property("tried", 200)``; without
it every case of the test counts as one. Whatever fails makes its row say so.

**A script that pytest does not run** (hours of a window, a million inputs of a fuzzer) adds or
replaces its own rows when it has ended, and the page is written anew::

    from tests.reliability.table import Row, record

    record(
        Row(
            part="Hostile files",
            fault="IDX: inputs made by a coverage-guided fuzzer",
            promise="one message, or the images; never a crash, a hang or 1 GB of memory",
            test="uv run --group fuzz python -m tests.fuzzing idx",
            tried="250,000 inputs",
            lost="nothing",
        )
    )

A row is known by its part and its fault: recording it again replaces it. `part` is one of
`table.PARTS`, in whose order the page has them. When two branches have added rows, keep both in the
JSON and run ``--render``.
"""
