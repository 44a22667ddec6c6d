#!/bin/sh
# Grants the app's identity its right in Entra. Whoever lacks the right to do so hands the command on:
# the app is deployed all the same, keeps what it is sent, and does it once the right is there.
set -eu

grant="python -m infra.grant --principal-id $CONNORG_PRINCIPAL_ID --role ${CONNORG_GRAPH_ROLE:-directory}"
make setup
if ! .venv/bin/$grant; then
    echo "The right is not granted yet. Let a Privileged Role Administrator run: $grant" >&2
fi
