"""IAM Access Analyzer in the local cloud."""

from __future__ import annotations

from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud


@pytest.mark.corrects("access-analyzer.analyzers")
def test_an_analyzer_is_made_read_tagged_and_deleted_in_its_own_account(cloud: LocalCloud) -> None:
    client, name = cloud.client("accessanalyzer", account="evidence"), f"analyzer-{uuid4().hex}"

    arn = client.create_analyzer(analyzerName=name, type="ACCOUNT", tags={"owner": "risk"})["arn"]

    assert arn == f"arn:aws:access-analyzer:{cloud.region}:{cloud.context.accounts['evidence']}:analyzer/{name}"
    client.tag_resource(resourceArn=arn, tags={"tier": "high"})
    client.untag_resource(resourceArn=arn, tagKeys=["owner"])
    known = client.get_analyzer(analyzerName=name)["analyzer"]
    assert (known["arn"], known["type"], known["status"], known["tags"]) == (arn, "ACCOUNT", "ACTIVE", {"tier": "high"})
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {"tier": "high"}
    assert arn in [one["arn"] for one in client.list_analyzers()["analyzers"]]
    assert arn not in [one["arn"] for one in cloud.client("accessanalyzer").list_analyzers()["analyzers"]]
    assert arn in cloud.inventory()["access-analyzer"]

    client.delete_analyzer(analyzerName=name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_analyzer(analyzerName=name)


def test_an_analyzers_name_is_taken_once_in_an_account(cloud: LocalCloud) -> None:
    client, name = cloud.client("accessanalyzer"), f"analyzer-{uuid4().hex}"
    client.create_analyzer(analyzerName=name, type="ACCOUNT")

    with pytest.raises(ClientError, match="ConflictException"):
        client.create_analyzer(analyzerName=name, type="ACCOUNT")
    with pytest.raises(ClientError, match="ValidationException"):
        client.create_analyzer(analyzerName="9", type="ACCOUNT")
    client.delete_analyzer(analyzerName=name)
