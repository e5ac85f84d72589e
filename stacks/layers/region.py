"""What the layer `platform` has in each region: a key for its data, a network, live state, endpoints and a runner."""

from __future__ import annotations

from typing import Any

import pulumi

from components.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.data_key import DataKey, DataKeyArgs
from components.live_state import LiveState, LiveStateArgs
from components.network import ExistingNetwork, Network, NetworkArgs
from components.runner import CONTAINER_NAME, DatabaseTarget, HttpTarget, Runner, RunnerArgs
from interlock.duties.secrets import RUNNER
from interlock.settings.model import Settings
from interlock.settings.network import ExistingNetworkSettings, NetworkSettings
from interlock.settings.section import Environment
from stacks.layers.guards import Guards
from stacks.places import Place


class PlatformRegion:
    """One region's half; resources of the recovery region bear `suffix` in their names."""

    def __init__(
        self,
        settings: Settings,
        stack: str,
        place: Place,
        chosen: NetworkSettings,
        administrators: pulumi.Input[list[str]],
        guards: Guards,
        storage_account_ids: list[str],
        options: pulumi.ResourceOptions,
        suffix: str = "",
    ) -> None:
        self.settings = settings
        self.stack = stack
        self.place = place
        self.guards = guards
        self.suffix = suffix
        self.options = pulumi.ResourceOptions.merge(options, place.options())
        self.stateful = pulumi.ResourceOptions.merge(
            self.options, pulumi.ResourceOptions(protect=not settings.disposable)
        )
        self.key = self._key(administrators)
        self.alarms = self._alarms()
        self.network = self._network(chosen, storage_account_ids)
        self.live_state = self._live_state()
        self.runner: Runner | None = None
        self.made: list[pulumi.Resource] = [self.key, self.network, self.live_state]
        self.made += [self.alarms] if self.alarms else []
        """What the layer has in this region, as far as it is made."""

    def add_runner(self, database: DatabaseTarget | None, http_targets: dict[str, HttpTarget]) -> None:
        """Provision the region's runner, which reaches these and nothing else, if the settings have one."""
        runner = self.settings.runner
        if runner is None:
            return
        args: RunnerArgs = {
            "account_id": self.place.account_id,
            "region": self.place.region,
            "vpc_id": self.network.vpc_id,
            "cidr_block": self.network.cidr_block,
            "subnet_ids": self.network.private_subnet_ids,
            "storage_prefix_list_id": self.network.storage_prefix_list_id,
            "image": image_in(runner.image, self.place.region),
            "encryption_key_arn": self.key.key_arn,
            "http_targets": http_targets,
            "log_retention_days": self.settings.log_retention_days,
        }
        existing = runner.existing_recovery_cluster_arn if self.suffix else runner.existing_cluster_arn
        if existing is not None:
            args["existing_cluster_arn"] = existing
        if database is not None:
            args["database"] = database
        self.runner = Runner(f"{RUNNER}{self.suffix}", args, self.options)
        self.made.append(self.runner)

    def parts(self) -> dict[str, Any]:
        """Return the parts of a stack manifest that say where this is."""
        runner = self.runner
        return {
            "data_key_arn": self.key.key_arn,
            "network": {"vpc_id": self.network.vpc_id, "private_subnet_ids": self.network.private_subnet_ids},
            "live_state": {
                "table_name": self.live_state.table_name,
                "table_arn": self.live_state.table_arn,
                "encryption_key_arn": self.key.key_arn,
            },
            **({"runner": _runner_part(runner)} if runner else {}),
        }

    def _key(self, administrators: pulumi.Input[list[str]]) -> DataKey:
        settings, chosen = self.settings, self.settings.keys
        args: DataKeyArgs = {
            "account_id": self.place.account_id,
            "region": self.place.region,
            "administrators": administrators,
            "alias": f"interlock-{self.stack}-platform",
            "deletion_window_days": 7 if settings.disposable else 30,
            "for_logs": True,
            "for_budgets": settings.budget is not None and not self.suffix,
            "for_alarms": settings.alarms is not None and bool(settings.alarms.emails),
        }
        existing = chosen.existing_recovery_data_key_arn if self.suffix else chosen.existing_data_key_arn
        if existing is not None:
            args["existing_key_arn"] = existing
        return DataKey(f"platform-key{self.suffix}", args, self.stateful)

    def _alarms(self) -> AlarmTopic | None:
        chosen = self.settings.alarms
        if chosen is None:
            return None
        args: AlarmTopicArgs = {"account_id": self.place.account_id, "region": self.place.region}
        if chosen.emails:
            args["encryption_key_arn"] = self.key.key_arn
            args["emails"] = chosen.emails
        existing = chosen.topics_in(self.place.region)
        if existing:
            args["existing_topic_arns"] = existing
        return AlarmTopic(f"alarms{self.suffix}", args, self.options)

    def _network(self, chosen: NetworkSettings, storage_account_ids: list[str]) -> Network:
        args: NetworkArgs = {
            "account_id": self.place.account_id,
            "region": self.place.region,
            "cidr_block": chosen.cidr_block,
            "minimum_zone_count": 3 if self.settings.environment is Environment.PROD else 2,
            "storage_account_ids": storage_account_ids,
            "protect": not self.settings.disposable,
        }
        if chosen.subnets:
            args["subnets"] = chosen.subnets
        if chosen.internet_access:
            args["internet_access"] = chosen.internet_access
        if chosen.existing is None:
            args["log_key_arn"] = self.key.key_arn
            args["log_retention_days"] = self.settings.log_retention_days
        else:
            args["existing"] = _existing(chosen.existing)
        return Network(f"network{self.suffix}", args, self.options)

    def _live_state(self) -> LiveState:
        args: LiveStateArgs = {
            "encryption_key_arn": self.key.key_arn,
            "deletion_protection": not self.settings.disposable,
        }
        chosen = self.settings.live_state.recovery if self.suffix else self.settings.live_state.primary
        if chosen.existing_table_arn is not None:
            args = {"existing_table_arn": chosen.existing_table_arn}
        elif chosen.table_name is not None:
            args["table_name"] = chosen.table_name
        if chosen.existing_table_arn is None:
            args["writers"] = self.guards.state_writers()
            args["administrators"] = self.guards.administrators
        return LiveState(f"live-state{self.suffix}", args, self.stateful)


def image_in(image: str, region: str) -> str:
    """Return the reference of a replicated image in the registry of `region`."""
    host, _, rest = image.partition("/")
    account_id, dkr, ecr, _, *suffix = host.split(".")
    return "/".join([".".join([account_id, dkr, ecr, region, *suffix]), rest])


def _runner_part(runner: Runner) -> dict[str, Any]:
    return {
        "cluster": runner.cluster_name,
        "task_definition_arn": runner.task_definition_arn,
        "container": CONTAINER_NAME,
        "subnet_ids": runner.subnet_ids,
        "security_group_ids": runner.security_group_ids,
        "log_group": runner.log_group_name,
    }


def _existing(chosen: ExistingNetworkSettings) -> ExistingNetwork:
    existing: ExistingNetwork = {"vpc_id": chosen.vpc_id}
    if chosen.private_subnet_ids is not None:
        existing["private_subnet_ids"] = chosen.private_subnet_ids
    if chosen.route_table_ids is not None:
        existing["route_table_ids"] = chosen.route_table_ids
    if chosen.storage_prefix_list_id is not None:
        existing["storage_prefix_list_id"] = chosen.storage_prefix_list_id
    return existing
