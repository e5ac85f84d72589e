"""The gate `drift-reference`: freezes what columns and predictions look like, for monitoring to compare."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from interlock.monitoring.reference import DriftReference, column_reference
from interlock.release.gates.gate import OUR_VERSION, GateInputs, GateParameters, Measured, Needs, UnfitInputs
from interlock.release.gates.measuring import measure
from interlock.release.gates.predictions import model_rows, scores_from


class DriftReferenceParameters(GateParameters):
    table: str = "training"
    bins: Annotated[int, Field(ge=2, le=20)] = 10
    minimum_rows: Annotated[int, Field(ge=1)] = 200
    """Of fewer rows the shares in ten bins are too uncertain to compare with."""


class DriftReferenceGate:
    name = "drift-reference"
    version = OUR_VERSION
    Parameters = DriftReferenceParameters

    def needs(self, parameters: DriftReferenceParameters) -> Needs:
        return Needs(tables=(parameters.table,), predictor=True)

    def measure(self, inputs: GateInputs) -> Measured:
        import pandas as pd

        parameters = inputs.parameters
        assert isinstance(parameters, DriftReferenceParameters)
        rows = model_rows(inputs, inputs.table(parameters.table))
        if len(rows) < parameters.minimum_rows:
            raise UnfitInputs(f"{len(rows)} rows are too few; accepted are {parameters.minimum_rows} and more")
        scores = pd.Series(scores_from(inputs.model(), rows), name="prediction")
        try:
            reference = DriftReference(
                rows=len(rows),
                columns={str(name): column_reference(rows[name], parameters.bins) for name in rows.columns},
                prediction=column_reference(scores, parameters.bins),
            )
        except ValueError as error:
            raise UnfitInputs(str(error)) from error
        measures = [measure("columns", len(reference.columns)), measure("rows", reference.rows)]
        return Measured(measures, details={"reference": reference.model_dump(mode="json")})
