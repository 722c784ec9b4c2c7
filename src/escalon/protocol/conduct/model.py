"""The model all rules of conduct build on."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Frozen; an unknown field is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")
