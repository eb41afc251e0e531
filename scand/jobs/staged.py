"""Where a job's merge is staged on the NAS: computed from ids and the config, never read from a row.

    <nas.staging>/<first 8 digits of the installation's id>/job-<job id>-<stay>/merged.pdf

Several installations can share a NAS, and each has jobs from 1 on: so each stages in a folder of its own. A *stay*
is the time from one step ready → assembling to the next; its number is the id of that step in `scan_job_events`,
which only the database writes. So nobody else knows or reuses the name. Source: docs/design.md "On disk".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MERGED = "merged.pdf"
"""The staged file has the same name for every title: encrypted shares limit names to 143 bytes."""


@dataclass(frozen=True, slots=True)
class StagedPlace:
    """Where a job's merge is staged; paths are relative to the NAS root.

    Attributes:
        folder: the installation's own folder in the staging directory.
        job_id: `scan_jobs.id`.
        stay: number of the job's last stay; 0: it never was in assembling.
        former: where scand 0.1 staged the job's merge, if the row says that it did; else None.
        odd: what the row says, if scand never stages this job there; else None.
    """

    folder: str
    job_id: int
    stay: int = 0
    former: str | None = None
    odd: str | None = None

    @classmethod
    def of(cls, staging: str, installation: str, job_id: int, stay: int, told: str | None) -> StagedPlace:
        """The place.

        Args:
            staging: the staging directory, relative to the NAS root.
            installation: the database's own id, a UUID.
            job_id: `scan_jobs.id`.
            stay: number of the stay.
            told: `scan_jobs.nas_staging_path`: nothing is done there unless scand would name that place itself.
        """
        place, former = (
            cls(own_folder(staging, installation), job_id, stay),
            f"{staging}/job-{job_id}/{MERGED}",
        )
        if told is None or told == place.path:
            return place
        if told == former:
            return cls(place.folder, job_id, stay, former=former)
        directory, _, name = told.removeprefix(f"{place.folder}/").partition("/")
        known = told.startswith(f"{place.folder}/") and name == MERGED and place.made(directory)
        return cls(place.folder, job_id, stay, odd=None if known else told)

    @property
    def directory(self) -> str:
        """Name of the stay's directory in `folder`."""
        return f"job-{self.job_id}-{self.stay}"

    @property
    def path(self) -> str:
        """Of the staged file."""
        return f"{self.folder}/{self.directory}/{MERGED}"

    def made(self, name: str) -> bool:
        """Whether scand names a directory so for a stay of this job."""
        return re.fullmatch(rf"job-{self.job_id}-[0-9]+", name) is not None


def own_folder(staging: str, installation: str) -> str:
    """The folder in the staging directory that is this installation's alone.

    Args:
        staging: relative to the NAS root.
        installation: the database's own id, a UUID.
    """
    return f"{staging}/{installation[:8]}"
