"""A release as it arrives in a container: the vault's prefixes as folders."""

from __future__ import annotations

from pathlib import Path

from tests.interlock.release.verification.world import World


def unload(world: World, container: Path) -> tuple[Path, Path]:
    """Write what SageMaker would have fetched; return the folders of the model and of the channels."""
    model, record = container / "model", container / "channels"
    places = {
        f"releases/{world.digest}/": model,
        f"approvals/{world.digest}/": record / "approvals",
        f"decisions/{world.digest}/": record / "decisions",
        "trust/": record / "trust",
    }
    for folder in places.values():
        folder.mkdir(parents=True, exist_ok=True)
    for key, versions in world.vault.objects.items():
        prefix = next((one for one in places if key.startswith(one)), None)
        if prefix is not None:
            path = places[prefix] / key.removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(versions[-1][1])
    return model, record
