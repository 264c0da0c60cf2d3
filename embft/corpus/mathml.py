"""MathML as a line of text: a fraction with a slash, powers with ``^``, indices with ``_``."""

from __future__ import annotations

from typing import Any

_DROPPED = {"annotation", "annotation-xml", "script", "style"}
_SCRIPTS = {
    "msup": "^", "mover": "^", "msub": "_", "munder": "_", "msubsup": "_^", "munderover": "_^"
}  # fmt: skip


def math_text(node: Any) -> str:
    """Returns the text of a ``math`` element (a node of selectolax, nested some hundred levels at most)."""
    if node.is_text_node:
        return " ".join((node.text_content or "").split())
    if not node.is_element_node or node.tag in _DROPPED:
        return ""
    children = [child for child in node.iter(include_text=True) if child.is_element_node or _is_filled(child)]
    parts = [text for child in children if (text := math_text(child)) or child.tag.startswith("m")]
    if node.tag == "mfrac" and len(parts) == 2:
        return f"{_grouped(parts[0])}/{_grouped(parts[1])}"
    if node.tag in _SCRIPTS and len(parts) > 1:
        return parts[0] + "".join(
            mark + _grouped(part) for mark, part in zip(_SCRIPTS[node.tag], parts[1:], strict=False) if part
        )
    if node.tag == "msqrt":
        return f"√{_grouped(''.join(parts))}"
    if node.tag == "mroot" and len(parts) == 2:
        return f"{parts[1]}√{_grouped(parts[0])}"
    if node.tag == "mspace":
        return " "
    separator = {"mtable": "; ", "mtr": " ", "mlabeledtr": " "}.get(node.tag, "")
    return separator.join(parts)


def _is_filled(node: Any) -> bool:
    return bool(node.is_text_node and (node.text_content or "").strip())


def _grouped(text: str) -> str:
    return text if len(text) < 2 or text.isalnum() else f"({text})"
