"""What the study says: typed, frozen, versioned models of a study folder."""

from escalon.protocol.faults import Fault, StudyFolderError
from escalon.protocol.load import StudyFolder, load_study
from escalon.protocol.provenance import Provenance
from escalon.protocol.study import Study

__all__ = ["Fault", "Provenance", "Study", "StudyFolder", "StudyFolderError", "load_study"]
