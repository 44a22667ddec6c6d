#!/bin/sh
# Gives the app's identity its right in Entra. Whoever may not do so hands the command on: the app is
# deployed all the same, keeps what it is sent, and does it once the right is there.
set -eu

set -- --principal-id "$CONNORG_PRINCIPAL_ID" --tenant "$AZURE_TENANT_ID" \
    --with "${CONNORG_GRANT_WITH:-directory-role}"
yes=
if [ ! -t 0 ] || [ "${AZD_NON_INTERACTIVE:-false}" = true ]; then
    yes=--yes # there is nobody to ask
fi
make setup
code=0
.venv/bin/python -m infra.grant "$@" $yes || code=$?
case $code in # infra/grant/__main__.py says what each means
0) ;;
1 | 4) echo "The right is not granted yet. Let a Privileged Role Administrator run: python -m infra.grant $*" >&2 ;;
*) exit "$code" ;;
esac
