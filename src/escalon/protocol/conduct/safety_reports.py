"""What a study says about the reports it sends: who sends, who receives, the numbers authorities know it by."""

from pydantic import Field

from escalon.protocol.conduct.model import Model


class Sender(Model):
    """The sender of individual case safety reports (E2B(R3) C.3); empty text: not given."""

    identifier: str = Field(min_length=1, max_length=60, description="N.1.3 and N.2.r.2")
    case_prefix: str = Field(
        pattern=r"^[A-Z]{2}-[A-Z0-9]+$", description="country and company of C.1.1 and C.1.8.1"
    )
    organisation: str = Field(min_length=1, max_length=100, description="C.3.2")
    department: str = Field(default="", max_length=60, description="C.3.3.1")
    title: str = Field(default="", max_length=50, description="C.3.3.2")
    given: str = Field(default="", max_length=60, description="C.3.3.3")
    family: str = Field(default="", max_length=60, description="C.3.3.5")
    street: str = Field(default="", max_length=100, description="C.3.4.1")
    city: str = Field(default="", max_length=35, description="C.3.4.2")
    state: str = Field(default="", max_length=40, description="C.3.4.3")
    postcode: str = Field(default="", max_length=15, description="C.3.4.4")
    country: str = Field(pattern=r"^[A-Z]{2}$", description="C.3.4.5, ISO 3166-1 alpha-2")
    telephone: str = Field(default="", max_length=33, description="C.3.4.6")
    fax: str = Field(default="", max_length=33, description="C.3.4.7")
    email: str = Field(default="", max_length=100, description="C.3.4.8")


class Receiver(Model):
    """Identifiers of an authority: of the batch (N.1.4) and of the message (N.2.r.3)."""

    batch: str = Field(min_length=1, max_length=60)
    message: str = Field(min_length=1, max_length=60)


class StudyNumbers(Model):
    """Numbers under which authorities know the study; empty text: none.

    ``ind``: IND number, six digits; ``cross_reported_inds``: other INDs the report goes to.
    """

    eu_trial: str = Field(default="", max_length=50, pattern=r"^(\d{4}-\d{6}-\d{2}(-\d{2})?)?$")
    ind: str = Field(default="", pattern=r"^(\d{6})?$")
    cross_reported_inds: tuple[str, ...] = ()
    abbreviated_name: str = Field(default="", max_length=200)


def default_receivers() -> dict[str, Receiver]:
    """EudraVigilance for clinical trials; FDA before marketing, cell therapy under an IND at CBER."""
    return {
        "EU": Receiver(batch="EVCTMPROD", message="EVCTMPROD"),
        "US": Receiver(batch="ZZFDA_PREMKT", message="CBER_IND"),
    }
