from __future__ import annotations

import psycopg
import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.services.rds.database import Database, refused, set_parameter
from tests.rehearsal.cloud.waiting import until


@pytest.mark.corrects("rds.parameters")
@pytest.mark.parametrize(
    ("name", "value", "method", "code", "message"),
    [
        ("no_such_parameter", "1", "immediate", "InvalidParameterValue", "Could not find parameter with name: no_such"),
        ("max_connections", "100", "immediate", "InvalidParameterCombination", "cannot use immediate apply method"),
        ("max_connections", "many", "pending-reboot", "InvalidParameterValue", "allowed values are: 1-262143"),
        ("rds.force_ssl", "perhaps", "immediate", "InvalidParameterValue", "allowed values are: 0,1"),
        ("fsync", "0", "immediate", "InvalidParameterValue", "cannot be modified"),
    ],
)
def test_a_parameter_that_rds_would_not_take_is_refused(
    cloud: LocalCloud, group: str, name: str, value: str, method: str, code: str, message: str
) -> None:
    with pytest.raises(ClientError) as error:
        set_parameter(cloud, group, name, value, method)
    assert refused(error)[0] == code
    assert message in refused(error)[1]


@pytest.mark.corrects("rds.parameters-described")
def test_the_parameters_of_a_group_are_the_engine_s_with_those_a_user_set(cloud: LocalCloud, group: str) -> None:
    set_parameter(cloud, group, "log_min_duration_statement", "500")
    pages = cloud.client("rds").get_paginator("describe_db_parameters").paginate(DBParameterGroupName=group)
    found = {parameter["ParameterName"]: parameter for page in pages for parameter in page["Parameters"]}

    assert found["log_min_duration_statement"]["ParameterValue"] == "500"
    assert found["log_min_duration_statement"]["Source"] == "user"
    assert found["max_connections"]["Source"] == "engine-default"
    assert found["max_connections"]["ApplyType"] == "static"
    chosen = cloud.client("rds").describe_db_parameters(DBParameterGroupName=group, Source="user")["Parameters"]
    assert [parameter["ParameterName"] for parameter in chosen] == ["log_min_duration_statement"]


@pytest.mark.corrects("rds.parameter-apply-status", "rds.parameters")
def test_a_dynamic_parameter_is_in_force_at_once_and_a_static_one_after_a_reboot(cloud: LocalCloud, group: str) -> None:
    set_parameter(cloud, group, "work_mem", "8192")
    database = Database(cloud, DBParameterGroupName=group)
    database.available()
    assert database.ask("show work_mem") == "8MB"

    set_parameter(cloud, group, "work_mem", "16384")
    until(lambda: database.ask("show work_mem"), lambda seen: seen == "16MB")
    set_parameter(cloud, group, "max_connections", "37", "pending-reboot")
    assert database.describe()["DBParameterGroups"] == [
        {"DBParameterGroupName": group, "ParameterApplyStatus": "pending-reboot"}
    ]
    assert database.ask("show max_connections") != "37"

    cloud.client("rds").reboot_db_instance(DBInstanceIdentifier=database.name)
    database.available()
    assert database.ask("show max_connections") == "37"
    assert database.describe()["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"
    database.delete()


def test_sessions_without_tls_are_taken_where_the_parameter_says_so(cloud: LocalCloud, group: str) -> None:
    set_parameter(cloud, group, "rds.force_ssl", "0")
    database = Database(cloud, DBParameterGroupName=group)
    database.available()

    assert database.ask("select 1", sslmode="disable") == 1
    set_parameter(cloud, group, "rds.force_ssl", "1")

    def taken() -> bool:
        try:
            return bool(database.ask("select 1", sslmode="disable"))
        except psycopg.OperationalError:
            return False

    assert until(taken, lambda seen: not seen) is False
    database.delete()
