"""The programs beside a run, each a module with ``main(arguments) -> exit status``.

`scripts/` and the command ``embft`` start them.
"""
