"""What the program promises when something fails, and the tests of these promises.

`docs/reliability.md` is generated from `docs/reliability.json`, which these commands write::

    uv run python -m tests.reliability            tests every promise, slow ones too
    uv run python -m tests.reliability -k deaths  tests promises whose test's name contains a word
    uv run python -m tests.reliability --render   generates the page from the existing rows

**A promise that pytest tests** is an entry in `promises.py` that names the test. A test of many
cases records their number by ``record_property("tried", 200)``; otherwise every case of the test
counts as one. The row of a failed test says so.

**A script that pytest does not run** (an hour in the window, a million inputs of a fuzzer) adds or
replaces its own rows at its end, and the page is generated again::

    from tests.reliability.table import Row, record

    record(
        Row(
            part="Hostile files",
            fault="IDX: inputs made by a coverage-guided fuzzer",
            promise="One message, or the images. Never a crash, a hang or 1 GB of memory.",
            test="uv run --group fuzz python -m tests.fuzzing idx",
            tried="250,000 inputs",
            lost="nothing",
        )
    )

A row is identified by its part and its fault; recording it again replaces it. `part` is one of
`table.PARTS`; the page has them in that order. If two branches have added rows, keep both in the
JSON file and run ``--render``.
"""
