"""Which image a reference stands for at the moment: a tag is resolved to its digest where the registry knows it."""

from __future__ import annotations

import re

from moto.ecr.models import ecr_backends

_TAGGED = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^:@]+):(?P<tag>.+)"
)


def resolved(reference: str) -> str:
    """Return the reference by digest, or the reference itself if it has one or the registry has no such tag."""
    match = _TAGGED.fullmatch(reference)
    if match is None:
        return reference
    repository = ecr_backends[match["account"]][match["region"]].repositories.get(match["repository"])
    for image in repository.images if repository is not None else []:
        if match["tag"] in image.image_tags:
            return f"{reference.rpartition(':')[0]}@{image.get_image_digest()}"
    return reference
