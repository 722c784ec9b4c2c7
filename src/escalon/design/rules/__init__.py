"""One rule of dose finding per file."""

from typing import Annotated

from pydantic import Field

from escalon.design.rules.mtpi import Mtpi
from escalon.design.rules.three_plus_three import ThreePlusThree

AnyRule = Annotated[Mtpi | ThreePlusThree, Field(discriminator="kind")]

__all__ = ["AnyRule", "Mtpi", "ThreePlusThree"]
