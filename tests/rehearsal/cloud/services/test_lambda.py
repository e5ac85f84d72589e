"""Lambda in the local cloud: functions from images run, and fail, as Lambda's do."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.lambda_ import Lambda
from rehearsal.cloud.services.lambda_.permissions import lets_service_invoke
from rehearsal.cloud.services.lambda_.service import NotPermitted
from tests.rehearsal.cloud.services.functions import IMAGE, Functions, function_role, refused, write_image
from tests.rehearsal.cloud.waiting import until


@pytest.fixture(scope="module", autouse=True)
def images(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("images") / "function"
    write_image(folder)
    before, cloud.context.containers.images = cloud.context.containers.images, folder.parent
    yield
    cloud.context.containers.images = before


@pytest.fixture(scope="module")
def role(cloud: LocalCloud) -> str:
    return function_role(cloud)


@pytest.fixture
def functions(cloud: LocalCloud, role: str) -> Iterator[Functions]:
    made = Functions(cloud, role)
    yield made
    made.close()


@pytest.mark.corrects("lambda.invoke")
def test_a_function_answers_from_a_process_that_has_its_settings_and_its_role(
    cloud: LocalCloud, functions: Functions, role: str
) -> None:
    name = functions.make(Environment={"Variables": {"COLOUR": "blue"}}, MemorySize=256)
    told, answer = functions.invoke(name)
    given = told["environment"]

    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    assert answer["ExecutedVersion"] == "$LATEST"
    assert (given["COLOUR"], given["AWS_LAMBDA_FUNCTION_NAME"]) == ("blue", name)
    assert given["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert told["arn"].endswith(f":function:{name}")
    assert 0 < told["left"] <= 10_000
    assert functions.invoke(name)[0]["pid"] == told["pid"]
    assert functions.invoke(name, "identify")[0].split("/")[1] == role.rpartition("/")[2]


@pytest.mark.parametrize(
    ("do", "event", "expected"),
    [
        ("fail", {}, {"errorType": "ValueError", "errorMessage": "as asked"}),
        ("exit", {}, {"errorType": "Runtime.ExitError"}),
        ("sleep", {"seconds": 30}, {"errorType": "Sandbox.Timedout"}),
        ("grow", {"mb": 400}, {"errorType": "Runtime.ExitError"}),
    ],
)
def test_a_failure_is_told_in_the_payload_and_the_next_invocation_works(
    functions: Functions, do: str, event: dict[str, Any], expected: dict[str, str]
) -> None:
    name = functions.make(Timeout=2, MemorySize=256)
    told, answer = functions.invoke(name, do, **event)

    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    assert expected.items() <= told.items()
    if do == "sleep":
        assert told["errorMessage"].endswith("Error: Task timed out after 2.00 seconds")
    assert "environment" in functions.invoke(name)[0]


@pytest.mark.parametrize(("where", "expected"), [("import", "Runtime.ExitError"), ("init", "Runtime.HandlerNotFound")])
def test_a_function_that_cannot_initialise_says_so(functions: Functions, where: str, expected: str) -> None:
    name = functions.make(Environment={"Variables": {"FAIL_AT": where}})
    told, answer = functions.invoke(name)
    assert answer["FunctionError"] == "Unhandled"
    assert told["errorType"] == expected


def test_what_a_function_prints_is_in_its_log_and_in_the_tail(cloud: LocalCloud, functions: Functions) -> None:
    name = functions.make()
    _, answer = functions.invoke(name)
    tail = base64.b64decode(answer["LogResult"]).decode()
    request = answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-executed-version"]
    logs = cloud.client("logs")
    streams = logs.describe_log_streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]
    events = logs.get_log_events(logGroupName=f"/aws/lambda/{name}", logStreamName=streams[0]["logStreamName"])
    logged = [one["message"] for one in events["events"]]

    assert request == "$LATEST"
    assert "asked to tell\n" in tail
    assert tail.splitlines() == logged
    assert logged[0].startswith("START RequestId: ")
    assert "\tMemory Size: 128 MB\t" in logged[-1]
    assert streams[0]["logStreamName"].startswith(datetime.now(UTC).strftime("%Y/%m/%d/[$LATEST]"))


def test_invocations_errors_and_durations_are_counted(cloud: LocalCloud, functions: Functions) -> None:
    name = functions.make()
    for do in ("tell", "fail", "tell"):
        functions.invoke(name, do)
    now = datetime.now(UTC)

    def total(metric: str) -> float:
        points = cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": name}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    assert (total("Invocations"), total("Errors")) == (3, 1)
    assert total("Duration") > 0


def test_an_event_is_taken_at_once_and_run_later(cloud: LocalCloud, functions: Functions) -> None:
    name = functions.make()
    answer = functions.client.invoke(
        FunctionName=name, InvocationType="Event", Payload=b'{"do": "sleep", "seconds": 3}'
    )
    assert answer["StatusCode"] == 202
    logs = cloud.client("logs")

    def logged() -> list[str]:
        try:
            return [one["message"] for one in logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]]
        except ClientError:
            return []

    assert not [line for line in logged() if line.startswith("REPORT")]
    assert until(logged, lambda lines: any(line.startswith("REPORT") for line in lines))


def test_a_dry_run_runs_nothing(functions: Functions) -> None:
    name = functions.make()
    assert functions.client.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204


def test_reserved_concurrency_refuses_one_too_many(cloud: LocalCloud, functions: Functions) -> None:
    name = functions.make()
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    functions.invoke(name)
    functions.client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"do": "sleep", "seconds": 6}')
    time.sleep(1.5)
    assert refused(lambda: functions.invoke(name)) == ("TooManyRequestsException", "Rate Exceeded.")


@pytest.mark.corrects("lambda.states")
def test_a_function_is_pending_at_first_and_an_update_in_progress(cloud: LocalCloud, functions: Functions) -> None:
    name = functions.make(wait=False)
    assert functions.client.get_function_configuration(FunctionName=name)["State"] == "Pending"
    code, message = refused(lambda: functions.invoke(name))
    assert code == "ResourceConflictException"
    assert message.endswith("currently in the following state: Pending")
    functions.settled(name)

    updated = functions.client.update_function_configuration(FunctionName=name, MemorySize=512)
    assert updated["LastUpdateStatus"] == "InProgress"
    again = refused(lambda: functions.client.update_function_configuration(FunctionName=name, MemorySize=256))
    assert again[0] == "ResourceConflictException"
    assert functions.settled(name)["MemorySize"] == 512


@pytest.mark.corrects("lambda.settings")
@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ({"Code": {"ImageUri": IMAGE.replace("function", "nothing")}}, "InvalidParameterValueException", "not exist"),
        ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
        ({"MemorySize": 20000}, "ValidationException", "less than or equal to 10240"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "AWS_REGION"),
    ],
)
def test_settings_that_lambda_does_not_take_are_refused(
    cloud: LocalCloud, functions: Functions, wrong: dict[str, Any], code: str, words: str
) -> None:
    refusal = refused(lambda: functions.make(wait=False, **wrong))
    assert refusal[0] == code
    assert words in refusal[1]


def test_a_network_that_does_not_exist_is_refused(functions: Functions) -> None:
    network = {"SubnetIds": ["subnet-00000000"], "SecurityGroupIds": ["sg-00000000"]}
    code, message = refused(lambda: functions.make(wait=False, VpcConfig=network))
    assert code == "InvalidParameterValueException"
    assert "The subnet ID 'subnet-00000000' does not exist" in message


@pytest.mark.corrects("lambda.description")
def test_a_function_tells_its_network_and_no_image_configuration_it_was_not_given(
    cloud: LocalCloud, functions: Functions
) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="function", Description="function")["GroupId"]
    name = functions.make(VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": [group]})
    told = functions.client.get_function_configuration(FunctionName=name)
    assert told["VpcConfig"]["VpcId"] == vpc
    assert "ImageConfigResponse" not in told
    assert told["LoggingConfig"]["LogGroup"] == f"/aws/lambda/{name}"

    functions.invoke(name)
    here = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet]}])["NetworkInterfaces"]
    assert [one["Groups"][0]["GroupId"] for one in here] == [group]


@pytest.mark.corrects("lambda.deletion")
def test_a_deleted_function_leaves_no_process(cloud: LocalCloud, functions: Functions) -> None:
    name = functions.make()
    pid = functions.invoke(name)[0]["pid"]
    functions.made.remove(name)
    functions.client.delete_function(FunctionName=name)
    assert not os.path.exists(f"/proc/{pid}")
    unknown = refused(lambda: functions.invoke(name))
    arn = f"arn:aws:lambda:{cloud.region}:{cloud.account_id}:function:{name}"
    assert unknown == ("ResourceNotFoundException", f"Function not found: {arn}")


def test_an_update_replaces_the_environments(functions: Functions) -> None:
    name = functions.make()
    before = functions.invoke(name)[0]["pid"]
    functions.client.update_function_configuration(FunctionName=name, Environment={"Variables": {"COLOUR": "green"}})
    functions.settled(name)
    told = functions.invoke(name)[0]
    assert told["pid"] != before
    assert told["environment"]["COLOUR"] == "green"


def test_a_version_runs_and_an_unknown_qualifier_does_not(functions: Functions) -> None:
    name = functions.make()
    version = functions.client.publish_version(FunctionName=name)["Version"]
    answer = functions.client.invoke(FunctionName=name, Qualifier=version, Payload=b'{"do": "tell"}')
    assert answer["ExecutedVersion"] == version
    code, message = refused(lambda: functions.client.invoke(FunctionName=name, Qualifier="99", Payload=b"{}"))
    assert code == "ResourceNotFoundException"
    assert message.endswith(f":function:{name}:99")


def test_a_body_that_is_no_json_is_refused(functions: Functions) -> None:
    name = functions.make()
    code, _ = refused(lambda: functions.client.invoke(FunctionName=name, Payload=b"{"))
    assert code == "InvalidRequestContentException"


@pytest.mark.corrects("lambda.permissions")
def test_a_statement_s_id_is_used_once(cloud: LocalCloud, functions: Functions) -> None:
    name = functions.make()
    permission = {
        "FunctionName": name,
        "StatementId": "rotation",
        "Action": "lambda:InvokeFunction",
        "Principal": "secretsmanager.amazonaws.com",
    }
    functions.client.add_permission(**permission)
    assert refused(lambda: functions.client.add_permission(**permission))[0] == "ResourceConflictException"


def test_a_service_invokes_only_on_behalf_of_the_source_that_was_permitted(
    cloud: LocalCloud, functions: Functions
) -> None:
    name = functions.make()
    secret = f"arn:aws:secretsmanager:{cloud.region}:{cloud.account_id}:secret:one-AbCdEf"
    arn = f"arn:aws:lambda:{cloud.region}:{cloud.account_id}:function:{name}"
    functions.client.add_permission(
        FunctionName=name,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceAccount=cloud.account_id,
        SourceArn=secret,
    )
    service = cloud.context.service(Lambda)
    event = {"do": "tell"}
    assert service.invoke_as_service(arn, "secretsmanager.amazonaws.com", secret, event).error is None
    for principal, source in (("events.amazonaws.com", secret), ("secretsmanager.amazonaws.com", f"{secret}x")):
        with pytest.raises(NotPermitted):
            service.invoke_as_service(arn, principal, source, event)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, True),
        ({"StringEquals": {"AWS:SourceAccount": "111122223333"}}, True),
        ({"StringEquals": {"AWS:SourceAccount": "444455556666"}}, False),
        ({"ArnLike": {"AWS:SourceArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:one-*"}}, True),
        ({"ArnLike": {"AWS:SourceArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:two-*"}}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
    ],
)
def test_every_condition_of_a_statement_must_hold(condition: dict[str, Any], expected: bool) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Principal": {"Service": "secretsmanager.amazonaws.com"},
        "Condition": condition,
    }
    secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:one-AbCdEf"
    function = "arn:aws:lambda:eu-west-1:111122223333:function:rotation"
    invoked = lets_service_invoke([statement], "secretsmanager.amazonaws.com", secret, "111122223333", function)
    assert invoked is expected
