"""What is written in an afternoon: a loop of `requests.post`, and a line for what failed.

requests_script.py ROWS: a file with the body of a create in each line.
"""

import json
import os
import sys
from pathlib import Path

import requests

root = os.environ["CONNORG_GRAPH_ROOT"]
token = requests.get(
    os.environ["IDENTITY_ENDPOINT"],
    params={"resource": root, "api-version": "2019-08-01"},
    headers={"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]},
    timeout=30,
).json()["access_token"]
url = f"{root}/v1.0/identityGovernance/entitlementManagement/connectedOrganizations"

for line in Path(sys.argv[1]).read_text().splitlines():
    answer = requests.post(
        url, json=json.loads(line), headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    if not answer.ok:
        print("failed", answer.status_code, line)  # noqa: T201
