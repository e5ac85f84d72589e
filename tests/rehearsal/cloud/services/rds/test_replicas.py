from __future__ import annotations

import socket
import ssl
import struct
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.services.rds.database import PASSWORD, Database, refused, set_parameter, subnet_group
from tests.rehearsal.cloud.services.rds.replicas import ELSEWHERE, Replica, backed_up, slots
from tests.rehearsal.cloud.waiting import until

Replicate = Callable[..., Replica]


@pytest.mark.corrects("rds.read-replica")
def test_a_replica_is_a_standby_that_reads_what_its_source_wrote_and_writes_nothing(
    source: Database, replicate: Replicate
) -> None:
    replica = replicate()
    assert replica.created["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in replica.created

    seen = replica.available()
    assert seen["Endpoint"]["Address"] != source.describe()["Endpoint"]["Address"]
    assert seen["ReadReplicaSourceDBInstanceIdentifier"] == source.name
    assert source.describe()["ReadReplicaDBInstanceIdentifiers"] == [replica.name]
    assert replica.ask("select pg_is_in_recovery()") is True
    replica.follows()
    assert not replica.writes()
    assert [active for _, active in slots(source)] == [True]


def test_replicas_made_at_the_same_time_and_during_a_reboot_of_their_source_all_follow_it(
    cloud: LocalCloud, replicate: Replicate
) -> None:
    source = backed_up(cloud)
    replicas = [replicate(source), replicate(source), replicate(source, ELSEWHERE)]
    source.rds.reboot_db_instance(DBInstanceIdentifier=source.name)
    source.available()
    for replica in replicas:
        replica.available()
        replica.follows()
    for replica in replicas:
        replica.delete()
    source.delete()


def test_a_replica_in_another_region_lies_there_alone_and_bears_a_certificate_of_it(
    cloud: LocalCloud, source: Database, replicate: Replicate
) -> None:
    replica = replicate(region=ELSEWHERE)
    seen = replica.available()
    assert seen["DBInstanceArn"] == f"arn:aws:rds:{ELSEWHERE}:{cloud.account_id}:db:{replica.name}"
    assert seen["AvailabilityZone"].startswith(ELSEWHERE)
    assert seen["ReadReplicaSourceDBInstanceIdentifier"] == source.describe()["DBInstanceArn"]
    assert source.describe()["ReadReplicaDBInstanceIdentifiers"] == [seen["DBInstanceArn"]]
    with pytest.raises(ClientError, match="DBInstanceNotFound"):
        source.rds.describe_db_instances(DBInstanceIdentifier=replica.name)

    replica.follows()
    names = certified_names(cloud, seen["Endpoint"])
    assert [name.endswith(f".{ELSEWHERE}.rds.amazonaws.com") for kind, name in names if kind == "DNS"] == [True]


def certified_names(cloud: LocalCloud, endpoint: Any) -> Any:
    """Ask for TLS as PostgreSQL's clients do and return the names in the certificate."""
    context = ssl.create_default_context(cafile=str(cloud.context.authority.certificate_file))
    with socket.create_connection((endpoint["Address"], endpoint["Port"])) as plain:
        plain.sendall(struct.pack("!II", 8, 80877103))
        assert plain.recv(1) == b"S"
        with context.wrap_socket(plain, server_hostname=endpoint["Address"]) as encrypted:
            certificate = encrypted.getpeercert()
    assert certificate is not None
    return certificate["subjectAltName"]


def test_a_replica_has_from_its_source_what_it_is_not_given_and_begins_without_backups(
    cloud: LocalCloud, group: str, replicate: Replicate
) -> None:
    set_parameter(cloud, group, "work_mem", "8192")
    source = backed_up(cloud, DBParameterGroupName=group, Port=6543, EngineVersion="17.4")
    here = replicate(source, DBInstanceClass="db.m7g.large", Tags=[{"Key": "tier", "Value": "replica"}])
    there = replicate(source, ELSEWHERE)
    near, far = here.available(), there.available()

    assert (near["EngineVersion"], near["Endpoint"]["Port"], near["MasterUsername"]) == ("17.4", 6543, "keeper")
    assert (near["DBInstanceClass"], far["DBInstanceClass"]) == ("db.m7g.large", "db.t4g.small")
    assert (near["BackupRetentionPeriod"], near["MultiAZ"], near["DeletionProtection"]) == (0, False, False)
    assert near["TagList"] == [{"Key": "tier", "Value": "replica"}]
    assert near["DBParameterGroups"][0] == {"DBParameterGroupName": group, "ParameterApplyStatus": "in-sync"}
    # A parameter group lies in its region.
    assert far["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres17"
    assert (here.ask("show work_mem"), there.ask("show work_mem")) == ("8MB", "4MB")
    for replica in (here, there):
        replica.delete()
    source.delete()


def test_a_replica_stands_in_its_source_s_subnets_or_in_those_it_is_given_under_the_default_group_of_their_network(
    cloud: LocalCloud, replicate: Replicate
) -> None:
    near, vpc = subnet_group(cloud)
    far, far_vpc = subnet_group(cloud, ELSEWHERE)
    source = backed_up(cloud, DBSubnetGroupName=near)
    given: dict[str, Any] = {"VpcSecurityGroupIds": []}
    here, there = replicate(source, **given), replicate(source, ELSEWHERE, DBSubnetGroupName=far, **given)
    for replica, name, network in ((here, near, vpc), (there, far, far_vpc)):
        seen = replica.available()
        assert (seen["DBSubnetGroup"]["DBSubnetGroupName"], seen["DBSubnetGroup"]["VpcId"]) == (name, network)
        filters = [{"Name": "vpc-id", "Values": [network]}, {"Name": "group-name", "Values": ["default"]}]
        ec2 = cloud.client("ec2", region_name=replica.rds.meta.region_name)
        expected = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
        assert [group["VpcSecurityGroupId"] for group in seen["VpcSecurityGroups"]] == [expected]
        assert seen["AvailabilityZone"].endswith("b")
        replica.delete()
    source.delete()


def test_the_users_of_a_replica_are_its_source_s_and_change_with_them(cloud: LocalCloud, replicate: Replicate) -> None:
    source = backed_up(cloud)
    replica = replicate(source)
    replica.available()
    source.rds.modify_db_instance(DBInstanceIdentifier=source.name, MasterUserPassword="another-password")
    source.available()
    assert until(lambda: opens(replica, "another-password"), bool)
    assert not opens(replica, PASSWORD)
    with pytest.raises(ClientError, match="physical replication and therefore cannot differ from its parent"):
        replica.rds.modify_db_instance(DBInstanceIdentifier=replica.name, MasterUserPassword="a-third-password")
    with pytest.raises(ClientError, match="ManageMasterUserPassword isn't supported for read replica"):
        replica.rds.modify_db_instance(DBInstanceIdentifier=replica.name, ManageMasterUserPassword=True)
    replica.delete()
    source.delete()


def opens(database: Database, password: str) -> bool:
    try:
        database.connect(password=password).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_replica_of_an_encrypted_instance_needs_a_key_of_its_own_region(
    cloud: LocalCloud, replicate: Replicate
) -> None:
    source = backed_up(cloud, StorageEncrypted=True)
    with pytest.raises(ClientError) as error:
        Replica(source, ELSEWHERE)
    assert refused(error) == (
        "InvalidParameterCombination",
        "Cannot create a cross region unencrypted read replica from encrypted source.",
    )
    with pytest.raises(ClientError, match="KMSKeyNotAccessible"):
        Replica(source, ELSEWHERE, KmsKeyId=source.describe()["KmsKeyId"])

    key = cloud.client("kms", region_name=ELSEWHERE).create_key()["KeyMetadata"]["Arn"]
    there, here = replicate(source, ELSEWHERE, KmsKeyId=key), replicate(source)
    seen = there.available()
    assert (seen["StorageEncrypted"], seen["KmsKeyId"]) == (True, key)
    assert here.available()["KmsKeyId"] == source.describe()["KmsKeyId"]
    for replica in (there, here):
        replica.delete()
    source.delete()


@pytest.mark.parametrize(
    ("wanted", "code", "message"),
    [
        ({"KmsKeyId": "alias/aws/rds"}, "InvalidParameterCombination", "from unencrypted source"),
        ({"SourceDBInstanceIdentifier": "nobody"}, "DBInstanceNotFound", "nobody"),
        (
            {"SourceDBInstanceIdentifier": "arn:aws:rds:eu-west-1:999999999999:db:theirs"},
            "DBInstanceNotFound",
            "999999999999",
        ),
        (
            {"SourceDBInstanceIdentifier": "arn:aws:rds:mars-1:123456789012:db:far"},
            "DBInstanceNotFound",
            "mars-1",
        ),
        ({"AllocatedStorage": 10}, "InvalidParameterCombination", "can't be less than its source's"),
        ({"DBInstanceClass": "large"}, "InvalidParameterValue", "Invalid DB Instance class: large"),
        ({"Port": 80}, "InvalidParameterValue", "Invalid port 80"),
        ({"DBParameterGroupName": "none-such"}, "DBParameterGroupNotFound", "none-such"),
    ],
)
def test_a_wrong_replica_is_refused_and_leaves_nothing(
    cloud: LocalCloud, source: Database, wanted: dict[str, Any], code: str, message: str
) -> None:
    before = cloud.inventory()["rds"]
    with pytest.raises(ClientError) as error:
        Replica(source, **wanted)
    assert refused(error)[0] == code
    assert message in refused(error)[1]
    assert cloud.inventory()["rds"] == before
    assert source.describe()["ReadReplicaDBInstanceIdentifiers"] == []


def test_an_instance_without_backups_has_no_replicas_and_one_with_replicas_keeps_its_backups(
    database: Database, source: Database, replicate: Replicate
) -> None:
    with pytest.raises(ClientError) as error:
        Replica(database)
    assert refused(error)[0] == "InvalidDBInstanceState"
    assert "Automated backups are not enabled for this database instance" in refused(error)[1]

    replicate().available()
    with pytest.raises(ClientError, match="cannot be set to 0 while the DB instance is a source"):
        source.rds.modify_db_instance(DBInstanceIdentifier=source.name, BackupRetentionPeriod=0)


def test_an_instance_whose_master_password_rds_manages_has_no_replicas(cloud: LocalCloud) -> None:
    source = backed_up(cloud, MasterUserPassword=None, ManageMasterUserPassword=True)
    with pytest.raises(ClientError) as error:
        Replica(source)
    assert refused(error) == (
        "InvalidParameterValue",
        "Creating read replicas for source instance with engine postgres where ManageMasterUserPassword is enabled is "
        "not supported.",
    )
    source.delete()


def test_a_replica_s_own_parameters_and_settings_change_without_its_source_s(
    cloud: LocalCloud, source: Database, replicate: Replicate
) -> None:
    rds = cloud.client("rds", region_name=ELSEWHERE)
    group = f"group-{uuid.uuid4().hex[:8]}"
    rds.create_db_parameter_group(DBParameterGroupName=group, DBParameterGroupFamily="postgres17", Description="far")
    replica = replicate(region=ELSEWHERE, DBParameterGroupName=group)
    replica.available()
    change = {"ParameterName": "work_mem", "ParameterValue": "32768", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[change])
    until(lambda: replica.ask("show work_mem"), lambda seen: seen == "32MB")
    assert source.ask("show work_mem") == "4MB"

    rds.modify_db_instance(DBInstanceIdentifier=replica.name, DBPortNumber=6000, ApplyImmediately=True)
    assert until(replica.available, lambda seen: seen["Endpoint"]["Port"] == 6000)
    replica.follows()
