"""What scripts/check does: one file per suite, the table of their parameters, and the runner.

`table.py` names the suites in their order, with the parameters of the short and the long form; `runner.py` runs
them and keeps their results; `context.py` is what a suite is given; `store.py` keeps what was measured on a kernel
that the short form does not build. See Documentation/testing.md.
"""
