"""Functions that look something up, through a Terraform provider's data sources."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.engine.aws.assets import Assets
from rehearsal.engine.aws.catalogue import VERSIONS, Types
from rehearsal.engine.aws.inputs import Problem, Reader
from rehearsal.engine.aws.outputs import to_properties
from rehearsal.engine.aws.properties import Properties, reveal
from rehearsal.engine.aws.reports import problem_of
from rehearsal.engine.terraform.client import ProviderClient
from rehearsal.engine.terraform.diagnostics import Diagnostic, ProviderError, errors
from rehearsal.engine.terraform.pool import Lease
from rehearsal.engine.terraform.values import Value


class Functions:
    """The functions of one provider instance; `lease` gives access to the provider of a region."""

    def __init__(self, types: Types, lease: Callable[[str], Lease], region: str, assets: Assets) -> None:
        self._types = types
        self._lease = lease
        self._region = region
        self._assets = assets

    def invoke(self, token: str, arguments: Properties) -> tuple[Properties, list[Problem]]:
        """Return what a function finds, or what is wrong with its arguments."""
        kind = self._types.function(token)
        region = reveal(arguments.get("region", self._region)) if kind.regional else self._region
        given = {name: value for name, value in arguments.items() if not (kind.regional and name == "region")}
        reader = Reader(token, VERSIONS, self._assets.file_of)
        config = reader.block(kind.members, kind.schema.block, given)
        if reader.problems:
            return {}, reader.problems
        block = kind.schema.block

        def look(client: ProviderClient) -> tuple[list[Diagnostic], Value]:
            said = errors(client.validate_data(kind.name, block, config))
            return said, None if said else client.read_data(kind.name, block, config)

        try:
            said, found = self._lease(region).ask(look)
        except ProviderError as problem:
            said, found = list(problem.diagnostics), None
        if said:
            return {}, [problem_of(kind, item, arguments) for item in said]
        results = to_properties(kind.members, found)
        return results | ({"region": region} if kind.regional else {}), []
