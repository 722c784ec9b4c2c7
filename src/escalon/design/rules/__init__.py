"""One rule of dose finding per file."""

from typing import Annotated

from pydantic import Field

from escalon.design.rules.blrm import Blrm, Logistic2
from escalon.design.rules.blrm_combination import BlrmCombination
from escalon.design.rules.boin import Boin
from escalon.design.rules.boin12 import Boin12
from escalon.design.rules.boin_combination import BoinCombination
from escalon.design.rules.crm import Crm
from escalon.design.rules.custom_table import CustomTable
from escalon.design.rules.efftox import EffTox
from escalon.design.rules.i3_plus_3 import I3Plus3
from escalon.design.rules.keyboard import Keyboard, Mtpi2
from escalon.design.rules.mtpi import Mtpi
from escalon.design.rules.rolling_six import RollingSix
from escalon.design.rules.three_plus_three import ThreePlusThree
from escalon.design.rules.tite_boin import TiteBoin
from escalon.design.rules.tite_crm import TiteCrm

AnyRule = Annotated[
    ThreePlusThree
    | RollingSix
    | I3Plus3
    | Mtpi
    | Mtpi2
    | Keyboard
    | Boin
    | CustomTable
    | Crm
    | Logistic2
    | Blrm
    | TiteCrm
    | TiteBoin
    | Boin12
    | BoinCombination
    | EffTox
    | BlrmCombination,
    Field(discriminator="kind"),
]

__all__ = [
    "AnyRule",
    "Blrm",
    "BlrmCombination",
    "Boin",
    "Boin12",
    "BoinCombination",
    "Crm",
    "CustomTable",
    "EffTox",
    "I3Plus3",
    "Keyboard",
    "Logistic2",
    "Mtpi",
    "Mtpi2",
    "RollingSix",
    "ThreePlusThree",
    "TiteBoin",
    "TiteCrm",
]
