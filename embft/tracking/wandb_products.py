"""Datasets and models as artifacts of Weights & Biases: which run used them, and which made them."""

from __future__ import annotations

import re
from typing import Any

from embft.tracking.tracker import Product, plain


def send_product(run: Any, product: Product, how: str) -> None:
    """Tells a run of what it used or made.

    Neither waits for the server, and both are kept offline too, which `wandb.Run.use_artifact` is not.

    Args:
        run: What ``wandb.init`` returned.
        how: ``references``: files are named, with their digests, and stay where they are; ``files``: they are uploaded.
    """
    import wandb

    artifact = wandb.Artifact(
        re.sub(r"[^\w.-]", "-", product.name, flags=re.ASCII), type=product.kind, metadata=plain(product.facts)
    )
    for name, path in product.contents():
        if how == "files":
            # As it is: a run does not change what it has finished. wandb would first copy it otherwise.
            artifact.add_file(str(path), name=name, policy="immutable", skip_cache=True)
        else:
            artifact.add_reference(path.absolute().as_uri(), name=name)
    if product.address is not None:
        artifact.add_reference(product.address, name="address", checksum=False)
    if product.made:
        run.log_artifact(artifact)
    else:
        run._log_artifact(artifact, is_user_created=True, use_after_commit=True)
