#!/bin/sh
# What must hold before anything is made: it is known where, the Azure CLI works there, and what a
# private network needs is switched on in the subscription.
set -eu

# `azd up` asks for both before its hooks run, `azd provision` after.
if [ -z "${AZURE_SUBSCRIPTION_ID:-}" ] || [ -z "${AZURE_LOCATION:-}" ]; then
    echo "It is not chosen yet where to deploy: azd env set AZURE_SUBSCRIPTION_ID ID, and" \
        "azd env set AZURE_LOCATION REGION. Or run azd up, which asks." >&2
    exit 1
fi
if ! az account show --subscription "$AZURE_SUBSCRIPTION_ID" --output none; then
    echo "The Azure CLI is not signed in to the subscription $AZURE_SUBSCRIPTION_ID, which azd deploys to:" \
        "az login --tenant TENANT, with the tenant of that subscription." >&2
    exit 1
fi
if [ "${CONNORG_PRIVATE_NETWORK:-false}" != true ]; then
    exit 0
fi
state=$(az provider show --namespace Microsoft.App --subscription "$AZURE_SUBSCRIPTION_ID" \
    --query registrationState --output tsv)
if [ "$state" = Registered ]; then
    exit 0
fi
echo "Registering the provider Microsoft.App, to which a private network hands the app's subnet: some minutes." >&2
az provider register --namespace Microsoft.App --subscription "$AZURE_SUBSCRIPTION_ID" --wait || {
    echo "It could not be registered. Let an Owner or Contributor of the subscription run:" \
        "az provider register --namespace Microsoft.App --subscription $AZURE_SUBSCRIPTION_ID --wait" >&2
    exit 1
}
