"""What the calls on record show by themselves, before they are matched to sessions."""

import numpy as np
import pandas as pd

from app.protocol.evidence import Evidence
from app.protocol.frames import NONE, Ints, Mask, ids, micros
from app.settings import Settings
from app.vocabulary.terms import CallSource


class Calls:
    """The calls, by their positions in `frame`. Every array has one value for each call.

    - `start`, `end`: in microseconds
    - `stays`: a frame with the columns of the evidence, and `call` (a position), `start` and `end`
    - `people`: everybody who took part, at known times or not: `call`, `staff_id`, `pupil_id` (NONE if they are not on
      the roster); `listed`: those who took part at unknown times
    - `is_direct`: whether it was peer-to-peer; `is_report`: whether it was read from an attendance report
    - `with_staff`, `with_pupil`, `with_unidentified`: whether such people took part
    - `without_staff`: whether it is a room without staff: a group call with a pupil but no staff, organised by roster
      staff in the school's tenant
    - `is_elsewhere`: whether another organisation hosted it
    - `shows_staff`: whether it shows which staff were there. A call hosted by another organisation does not: it lists
      only our own people. A call without roster staff does only if it is a room without staff in which everybody was
      identified
    """

    def __init__(self, evidence: Evidence, settings: Settings) -> None:
        self.frame = evidence.calls
        self.index = pd.Index(self.frame["call_id"])
        self.start, self.end = micros(self.frame["started_at"]), micros(self.frame["ended_at"])
        self._settings = settings
        self.stays = self._find_calls(evidence.stays)
        self.stays = self.stays.assign(start=micros(self.stays["joined_at"]), end=micros(self.stays["left_at"]))
        self.listed = self._read_listed(evidence)
        columns = ["call", "staff_id", "pupil_id"]
        self.people = pd.concat([self.stays[columns], self.listed[columns]], ignore_index=True)

        is_staff, is_pupil = self.people["staff_id"] != NONE, self.people["pupil_id"] != NONE
        self.with_staff, self.with_pupil = self._with(is_staff), self._with(is_pupil)
        self.with_unidentified = self._with(~is_staff & ~is_pupil)
        self.is_direct: Mask = (self.frame["type"] == "peerToPeer").to_numpy()
        self.is_report: Mask = (self.frame["source"] == CallSource.ATTENDANCE).to_numpy()
        self.is_elsewhere = ~self.is_school_tenant(self.frame["organiser_tenant"])
        by_staff = ids(self.frame["organiser_staff_id"]) != NONE
        self.without_staff = ~self.is_direct & ~self.is_elsewhere & by_staff & self.with_pupil & ~self.with_staff
        self.shows_staff = ~self.is_elsewhere & self.with_staff | self.without_staff & ~self.with_unidentified

    def _find_calls(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a frame of people, with the position of their `call` and plain ids. Rows of calls that are not on
        record are left out."""
        call: Ints = self.index.get_indexer(frame["call_id"])
        rows = frame.assign(call=call, staff_id=ids(frame["staff_id"]), pupil_id=ids(frame["pupil_id"]))
        return rows[call != NONE]

    def _read_listed(self, evidence: Evidence) -> pd.DataFrame:
        """The people whom a call lists and who have no stay in it."""
        listed, key = self._find_calls(evidence.listed), ["call", "person"]
        if listed.empty:
            return listed
        with_times = self.stays[self.stays["call"].isin(listed["call"])]
        has_times = pd.MultiIndex.from_frame(listed[key]).isin(pd.MultiIndex.from_frame(with_times[key]))
        return listed[~has_times]

    def _with(self, people: pd.Series) -> Mask:
        mask = np.zeros(len(self.frame), bool)
        mask[self.people.loc[people, "call"]] = True
        return mask

    def is_school_tenant(self, tenant: pd.Series) -> Mask:
        """Whether each tenant is the school's. A tenant that the record leaves out counts as the school's."""
        ours = ("", self._settings.tenant_id.lower())
        return np.asarray(
            tenant.isna() | tenant.isin([each for each in tenant.dropna().unique() if each.lower() in ours])
        )
