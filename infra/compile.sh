#!/bin/sh
# What the Bicep compiler says: every file builds and lints without a word and is written as it formats it,
# and the frozen templates still evaluate to their snapshots. It takes `bicep` on the path and, for
# infra/entra, a network. .github/workflows/ci.yml runs it.
set -eu
cd "$(dirname "$0")/.."

for file in infra/main.bicep infra/modules/*.bicep infra/entra/*.bicep; do
    bicep build "$file" --stdout >/dev/null
    bicep lint "$file"
    bicep format "$file" --stdout | diff -u "$file" -
done
for parameters in tests/infra/compiled/*.bicepparam; do
    bicep snapshot "$parameters" --mode validate \
        --tenant-id 99999999-0000-0000-0000-000000000001 \
        --subscription-id 99999999-0000-0000-0000-000000000002
done
