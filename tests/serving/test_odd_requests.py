"""Fields of a wrong kind are refused in words, whatever they hold."""

from __future__ import annotations

import pytest

from embft.serving.requests import BadRequestError, ServedModel, embeddings_request

MODEL = ServedModel("tuned", 8, (), False)


@pytest.mark.parametrize("value", [[], {}, ["query"], 7])
@pytest.mark.parametrize("field", ["input_type", "encoding_format", "dimensions", "model", "input"])
def test_a_field_of_another_kind_is_refused_by_its_name(field, value):
    content = {"input": "a text", "input_type": "query", field: value}
    if field == "input" and value == ["query"]:
        assert embeddings_request(content, MODEL, None).texts == ["query"]
    elif field == "encoding_format" and not value:
        assert not embeddings_request(content, MODEL, None).as_text  # empty: the default
    else:
        with pytest.raises(BadRequestError) as raised:
            embeddings_request(content, MODEL, None)
        assert raised.value.param == field
