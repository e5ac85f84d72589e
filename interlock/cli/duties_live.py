"""`interlock duties prove --live`: the accounts of a stack as they are, read as its settings or the asker say."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.account_reader import AccountReader, Client
from interlock.aws.errors import outside
from interlock.aws.organization_reader import OrganizationReader
from interlock.duties.live import live_world
from interlock.duties.organization import Controls, under
from interlock.duties.world import World
from interlock.failures import BadInput, Refusal
from interlock.settings.accounts import AccountSettings
from interlock.settings.files import SettingsFileError, stack_file
from interlock.settings.model import Settings
from interlock.settings.reading import SettingsError, read_settings

SESSION: Final = "interlock-duties-prove"
OWN_PATH: Final = "interlock/"
_PRINCIPAL: Final = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):(root|(role|user)/(?P<path>[\w+=,.@/-]+))")
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/\S+")


def read_live(
    stack: str, say: Callable[[str], None], readers: Sequence[str] = (), administrators: Sequence[str] = ()
) -> tuple[World, bool]:
    """Return the world of a stack's accounts, and whether the organization's policies are in it.

    `readers` are ARNs of roles to read their accounts as, in place of the settings' ways into them; `administrators`
    those of roles and users that administer the accounts, beside the settings' own, or that become one from elsewhere.
    Raises BadInput, OutsideFailure, Refusal.
    """
    settings, foundation = _settings(stack), None
    if settings.foundation_stack is not None:
        foundation = _settings(settings.foundation_stack.rpartition("/")[2])
    held = foundation or settings
    if held.duties is None:
        raise BadInput(f"{stack}: interlock:duties is missing; accepted is a stack whose settings assign people")
    regions = [settings.region, *([settings.recovery.region] if settings.recovery else [])]
    identities = {one.name: one.source_identity for one in held.approvers}
    identities |= {one.name: one.source_identity for one in held.duties.assignments().people}
    accounts = {settings.account_id: AccountSettings(account_id=settings.account_id, role_arn=settings.role_arn)}
    for one in (held.accounts.evidence, held.accounts.audit):
        if one is not None:
            accounts.setdefault(one.account_id, one)
    accounts |= _given_ways(readers, accounts)
    _check_administrators(administrators, accounts)
    named = held.named_after(stack)
    readings, clients = [], {}
    for account in accounts.values():
        say(f"reading account {account.account_id}")
        clients[account.account_id] = _clients(account, settings.region)
        readings.append(
            AccountReader(account.account_id, clients[account.account_id], regions, named, identities).read()
        )
    world = live_world(named, _together(settings, held), tuple(readings), administrators)
    _check_found([one for one in administrators if one not in world.trusted_elsewhere], world)
    say("reading the organization's policies")
    management = _management_account(clients, settings.region)
    if management is not None:
        world = world.model_copy(update={"management_account": management})
    controls = _controls(clients, settings.region)
    return (under(world, controls), True) if controls is not None else (world, False)


def _given_ways(readers: Sequence[str], known: Mapping[str, AccountSettings]) -> dict[str, AccountSettings]:
    found = {}
    for arn in readers:
        parts = _ROLE.fullmatch(arn)
        if parts is None or parts["account"] not in known:
            raise BadInput(
                f"--reader: received {arn!r}; accepted is the ARN of a role in one of the stack's accounts, "
                f"{', '.join(known)}"
            )
        found[parts["account"]] = AccountSettings(account_id=parts["account"], role_arn=arn)
    return found


def _check_administrators(administrators: Sequence[str], known: Mapping[str, AccountSettings]) -> None:
    for arn in administrators:
        parts = _PRINCIPAL.fullmatch(arn)
        is_root = parts is not None and parts["path"] is None
        is_ours = parts is not None and (parts["path"] or "").startswith(OWN_PATH)
        if parts is None or is_ours or (is_root and parts["account"] in known):
            raise BadInput(
                f"--administrator: received {arn!r}; accepted is the ARN of a role or user in one of the stack's "
                f"accounts, {', '.join(known)}, and none of the stack's own roles; or that of a role, a user or the "
                "root of another account, whom one of those trusts"
            )


def _check_found(administrators: Sequence[str], world: World) -> None:
    apart = {one.arn for one in world.trusted}
    if missing := [arn for arn in administrators if arn not in apart]:
        raise BadInput(
            f"--administrator: received {missing[0]!r}, which is not there; accepted is a role or user that is, and "
            "has no duty"
        )


def _management_account(clients: Mapping[str, Client], region: str) -> str | None:
    """Return the id of the organization's own account, None if none of the accounts may ask for it."""
    asked = (OrganizationReader(client("organizations", region)).management_account() for client in clients.values())
    return next((one for one in asked if one is not None), None)


def _controls(clients: Mapping[str, Client], region: str) -> dict[str, Controls] | None:
    """Return the policies above each account, None if none of the accounts may ask for them."""
    for client in clients.values():
        reader = OrganizationReader(client("organizations", region))
        found = {account_id: reader.read(account_id) for account_id in clients}
        known = {account_id: one for account_id, one in found.items() if one is not None}
        if len(known) == len(clients):
            return known
    return None


def _together(settings: Settings, held: Settings) -> Settings:
    """Return the settings of a platform with what its foundation says of duties, keys and accounts."""
    said = {
        "duties": held.duties, "approvers": held.approvers,
        "administrators": list(dict.fromkeys((*(held.administrators or ()), *(settings.administrators or ())))),
        # What duties' roles act on, as the foundation that makes the roles knows it.
        "endpoints": held.endpoints, "live_state": held.live_state, "vault": held.vault,
    }  # fmt: skip
    return settings.model_copy(update={**said, "accounts": held.accounts})


def _settings(stack: str) -> Settings:
    try:
        file = stack_file(stack, Path.cwd())
        return read_settings(file.stack, file.config)
    except SettingsFileError as error:
        raise BadInput(str(error)) from error
    except SettingsError as error:
        raise BadInput(
            f"the settings of {stack} cannot be used", reasons=[str(one) for one in error.problems]
        ) from error


def _clients(account: AccountSettings, region: str) -> Client:
    """Return what makes the account's clients. Raises OutsideFailure, and Refusal for another account's credentials."""
    try:
        session = _session(account.role_arn, region)
        found = session.client("sts").get_caller_identity()["Account"]
    except (ClientError, BotoCoreError) as error:
        raise outside(f"get into account {account.account_id}", error) from error
    except ValueError as error:
        raise BadInput(f"the way to AWS that this shell is set to cannot be used: {error}") from error
    if found != account.account_id:
        raise Refusal(
            f"these credentials are of account {found}, and the settings say {account.account_id}",
            next_step="name a way into it: --reader ARN, interlock:role_arn, or role_arn of interlock:accounts",
        )
    return functools.cache(lambda service, region: session.client(service, region_name=region))


def _session(role_arn: str | None, region: str) -> Any:
    if role_arn is None:
        return boto3.Session(region_name=region)
    given = boto3.client("sts", region_name=region).assume_role(RoleArn=role_arn, RoleSessionName=SESSION)[
        "Credentials"
    ]
    return boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region)
