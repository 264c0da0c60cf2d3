"""What the machine can do: device, number format."""

from __future__ import annotations

from embft.errors import ConfigError


def pick_device(wanted: str) -> str:
    """Returns ``cuda``, ``mps`` or ``cpu``; ``auto`` takes the first of these that is there.

    Raises:
        ConfigError: The wanted device is not there.
    """
    import torch

    devices = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(name for name, available in devices.items() if available)
    if not devices[wanted]:
        raise ConfigError(
            [
                f"training.device={wanted} is not available here ({', '.join(n for n, a in devices.items() if a)} is): use auto."
            ]
        )
    return wanted


def pick_precision(wanted: str, device: str) -> str:
    """Returns ``bf16``, ``fp16`` or ``fp32``; ``auto`` takes bf16 where the hardware multiplies it natively.

    On a CPU that means AVX512-BF16 or AMX: elsewhere bf16 is emulated and slower than fp32.
    """
    import torch

    if wanted != "auto":
        if wanted == "fp16" and device != "cuda":
            raise ConfigError([f"precision=fp16 needs a CUDA device, this is {device}: use auto."])
        return wanted
    if device == "cuda":
        return "bf16" if torch.cuda.get_device_capability() >= (8, 0) else "fp16"
    if device == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        return "bf16"
    return "fp32"
