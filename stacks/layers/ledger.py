"""The ledger's functions, in the evidence account: the sequencer where the log is, the witness in the other region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.data_key import DataKey
from components.ledger_function import LedgerFunction, LedgerFunctionArgs
from interlock.duties.duty import Role, SigningDuty
from interlock.duties.landscape import LEDGER
from interlock.settings.ledger import LedgerSettings
from interlock.settings.model import Settings
from stacks.layers.region import image_in
from stacks.places import Place


@dataclass(frozen=True)
class LedgerSite:
    """One region of the evidence account, and what its function works with."""

    place: Place
    bucket_name: pulumi.Input[str]
    signing_keys: pulumi.Output[Any]
    """By duty, as a stack manifest has them; those of the other region where this one has no replicas."""
    suffix: str = ""


@dataclass(frozen=True)
class Ledger:
    """What the functions of one foundation have in common."""

    settings: Settings
    chosen: LedgerSettings
    stack: str
    administrators: pulumi.Input[list[str]]
    role_arns: Mapping[Role, str]
    stands_on: Sequence[pulumi.Resource]
    """What has to be there before a function is, and be gone after it: the duties' roles, and the vault."""

    def provision(self, sequencing: LedgerSite, witnessing: LedgerSite) -> None:
        """Provision both functions; without another region the witness works beside the sequencer."""
        sites = {site.suffix: site for site in (sequencing, witnessing)}
        surroundings = {suffix: self._surroundings(site) for suffix, site in sites.items()}
        log = f"{sequencing.place.region}-{self.chosen.epoch}"
        self._function(Role.SEQUENCER, SigningDuty.LOG, sequencing, log, *surroundings[sequencing.suffix])
        self._function(Role.WITNESS, SigningDuty.WITNESS, witnessing, log, *surroundings[witnessing.suffix])

    def _surroundings(self, site: LedgerSite) -> tuple[DataKey, AlarmTopic | None]:
        alarms = self.chosen.alarms
        key = DataKey(
            f"{LEDGER}-key{site.suffix}",
            {
                "account_id": site.place.account_id,
                "region": site.place.region,
                "administrators": self.administrators,
                "alias": f"interlock-{self.stack}-{LEDGER}",
                "deletion_window_days": 7 if self.settings.disposable else 30,
                "for_logs": True,
                "for_alarms": alarms is not None and bool(alarms.emails),
            },
            self._options(site),
        )
        if alarms is None:
            return key, None
        args: AlarmTopicArgs = {"account_id": site.place.account_id, "region": site.place.region}
        if alarms.emails:
            args["encryption_key_arn"] = key.key_arn
            args["emails"] = alarms.emails
        if existing := alarms.topics_in(site.place.region):
            args["existing_topic_arns"] = existing
        return key, AlarmTopic(f"{LEDGER}-alarms{site.suffix}", args, self._options(site))

    def _function(
        self, role: Role, key: SigningDuty, site: LedgerSite, log: str, data_key: DataKey, topic: AlarmTopic | None
    ) -> None:
        args: LedgerFunctionArgs = {
            "account_id": site.place.account_id,
            "region": site.place.region,
            "stack": self.stack,
            "duty": role.value,
            "log": log,
            "bucket_name": site.bucket_name,
            "signing_key_arn": site.signing_keys.apply(lambda known: str(known[key.value]["key_arn"])),
            "role_arn": self.role_arns[role],
            "image": image_in(self.chosen.image, site.place.region),
            "encryption_key_arn": data_key.key_arn,
            "minutes": self.chosen.minutes,
            "renew_hours": self.chosen.renew_hours,
            "reserve_execution": self.chosen.reserve_execution,
            "log_retention_days": self.settings.log_retention_days,
        }
        if topic is not None:
            args["alarm_topic_arns"] = topic.topic_arns
        LedgerFunction(f"{LEDGER}-{role.value}{site.suffix}", args, self._options(site))

    def _options(self, site: LedgerSite) -> pulumi.ResourceOptions:
        after = pulumi.ResourceOptions(depends_on=list(self.stands_on))
        return pulumi.ResourceOptions.merge(site.place.options(protect=not self.settings.disposable), after)
