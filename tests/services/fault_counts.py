"""How many faults of a service are tried, and how each ends: for the tests, and for the table in the documentation."""

from __future__ import annotations

import chat_faults
import embedding_faults


def fault_counts() -> list[tuple[str, int, int, int]]:
    """Rows of (service, faults tried, of which end in words for the user, of which end in a right result)."""
    tables = {
        "embeddings": [wanted == embedding_faults.RIGHT for _, wanted in embedding_faults.MODES.values()],
        "chat, one request of three": [wanted == chat_faults.RIGHT for _, wanted in chat_faults.MODES.values()],
        "chat, every request": [wanted == chat_faults.RIGHT for _, wanted in chat_faults.ALL.values()],
    }
    return [(service, len(right), len(right) - sum(right), sum(right)) for service, right in tables.items()]


def as_markdown() -> str:
    """The same as a table."""
    head = "| service | faults | end in words | end in a right result |\n| --- | ---: | ---: | ---: |"
    return "\n".join([head, *(f"| {' | '.join(map(str, row))} |" for row in fault_counts())])


if __name__ == "__main__":
    print(as_markdown())
