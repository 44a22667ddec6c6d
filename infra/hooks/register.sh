#!/bin/sh
# Makes the app registration whose tokens callers bring, where the environment names none yet.
# `azd env set CONNORG_CALLERS keys` leaves it out: callers bring function keys then.
set -eu

if [ "${CONNORG_CALLERS:-entra}" = keys ] || [ -n "${CONNORG_ENTRA_CLIENT_ID:-}" ]; then
    exit 0
fi
client_id=$(az deployment sub create \
    --subscription "$AZURE_SUBSCRIPTION_ID" \
    --name "connorg-registration-$AZURE_ENV_NAME" \
    --location "$AZURE_LOCATION" \
    --template-file infra/entra/registration.bicep \
    --parameters environmentName="$AZURE_ENV_NAME" \
    --query properties.outputs.clientId.value --output tsv) || {
    echo "The app registration could not be made. Let an Application Administrator do it (docs/deploy.md)" \
        "and tell its client id: azd env set CONNORG_ENTRA_CLIENT_ID ID. Or take function keys:" \
        "azd env set CONNORG_CALLERS keys." >&2
    exit 1
}
azd env set CONNORG_ENTRA_CLIENT_ID "$client_id" --environment "$AZURE_ENV_NAME"
