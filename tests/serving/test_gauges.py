"""The page of counters, read by Prometheus' own parser."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from embft.serving.gauges import Gauges


def test_prometheus_reads_the_page():
    gauges = Gauges()
    for status, seconds in ((200, 0.02), (200, 0.3), (400, 0.001)):
        gauges.request("/search", status, seconds)
    gauges.request("/v1/embeddings", 200, 99.0)
    for size in (1, 64, 300):
        gauges.batch(size)
    gauges.texts("embed", 365)
    families = {family.name: family for family in text_string_to_metric_families(gauges.render(7, 2))}
    assert {name: family.type for name, family in families.items()} == {
        "embft_requests": "counter",
        "embft_request_seconds": "histogram",
        "embft_texts": "counter",
        "embft_batch_size": "histogram",
        "embft_waiting": "gauge",
        "embft_in_flight": "gauge",
    }
    assert all(family.documentation for family in families.values())
    values = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert values["embft_requests_total", (("path", "/search"), ("status", "200"))] == 2
    assert values["embft_texts_total", (("kind", "embed"),)] == 365
    assert (values["embft_waiting", ()], values["embft_in_flight", ()]) == (7, 2)
    assert values["embft_request_seconds_sum", (("path", "/search"),)] == pytest.approx(0.321)
    buckets = [
        value
        for (name, labels), value in values.items()
        if name == "embft_batch_size_bucket" and ("le", "+Inf") not in labels
    ]
    assert buckets == sorted(buckets)
    assert (buckets[0], buckets[-1]) == (1, 2)
    assert values["embft_batch_size_bucket", (("le", "+Inf"),)] == values["embft_batch_size_count", ()] == 3
    late = values["embft_request_seconds_bucket", (("le", "10"), ("path", "/v1/embeddings"))]
    assert (late, values["embft_request_seconds_count", (("path", "/v1/embeddings"),)]) == (0, 1)
