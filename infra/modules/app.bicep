// The plan and the function app, with everything it is told by app settings.
param token string
param location string
param tags { *: string }
param environmentName string

param identityId string
param identityClientId string

@description('As whom the platform reads and writes the deployed package.')
param packageIdentityId string

param storageName string

@description('The service URIs blob, queue and table.')
param storageEndpoints { blob: string, queue: string, table: string }

@description('The URL of the blob container that the package is deployed to.')
param deploymentContainer string

param vaultUri string

@description('The connection string of Application Insights, which is no secret here.')
param applicationInsights string

param workspaceId string

@description('The subnet of the app; blank: no virtual network.')
param subnetId string

param entraClientId string
param settings { *: string }

@description('Who may send webhooks, as the JSON that the app reads.')
param webhookSources string

param secretSettings string[]
param instanceMemoryMB int
param httpConcurrency int
param maximumInstanceCount int
param alwaysReady { name: string, instanceCount: int }[]
param zoneRedundant bool

var withEntra = !empty(entraClientId)
var graphClouds = {
  AzureCloud: 'global'
  AzureUSGovernment: 'usgov-l4'
  AzureChinaCloud: 'china'
}

// Every app setting that connorg reads; blank is connorg's own default, which README has.
var connorgSettings = {
  CONNORG_CREDENTIAL: ''
  CONNORG_CLOUD: graphClouds[environment().name]
  CONNORG_GRAPH_ROOT: ''
  CONNORG_GRAPH_VERSION: ''
  CONNORG_TENANT_LOOKUP: ''
  CONNORG_READ_BACK: ''
  CONNORG_HOME_TENANT: tenant().tenantId
  CONNORG_ALLOWED: ''
  CONNORG_DENIED: ''
  CONNORG_PUBLIC_MAIL: ''
  CONNORG_TENANT_ONLY: ''
  CONNORG_PROPOSED_ONLY: ''
  CONNORG_UPDATES_FROM: ''
  CONNORG_FORWARDED_HOSTS: ''
  CONNORG_TICKET_LINK: ''
  CONNORG_ENTRA_AUTHORITY: ''
  CONNORG_WAIT_SECONDS: ''
  CONNORG_ATTEMPT_SECONDS: ''
  CONNORG_SETTLE_SECONDS: ''
  CONNORG_BLOCKED_RETRY_SECONDS: ''
  CONNORG_GIVE_UP_HOURS: ''
  CONNORG_RETENTION_DAYS: ''
  CONNORG_CALLBACK_HOSTS: ''
  CONNORG_CALLBACK_RETRY_SECONDS: ''
}

// What this deployment knows better than whoever writes a parameter file.
var ownSettings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  // With the URIs alone the host now and then finds no blob service ("Could not create BlobServiceClient").
  // A name means the public cloud's addresses, so it is blank elsewhere.
  AzureWebJobsStorage__accountName: environment().name == 'AzureCloud' ? storageName : ''
  AzureWebJobsStorage__blobServiceUri: storageEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: storageEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: storageEndpoints.table
  AZURE_CLIENT_ID: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsights
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  PYTHON_ENABLE_OPENTELEMETRY: 'true'
  // Bytes. What is larger the host refuses, before a worker holds it in memory.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '4100000'
  CONNORG_REQUIRE_ENTRA: withEntra ? 'true' : 'false'
  CONNORG_ENTRA_TENANT: withEntra ? tenant().tenantId : ''
  CONNORG_ENTRA_AUDIENCE: withEntra
    ? '${entraClientId} api://${entraClientId} api://${tenant().tenantId}/connorg-${environmentName}'
    : ''
  CONNORG_WEBHOOK_SOURCES: webhookSources
}

var plainSettings = [
  for setting in items(union(connorgSettings, settings, ownSettings)): {
    name: setting.key
    value: setting.value
  }
]

// Blank unless the vault fills them.
var mayBeSecret = [
  'CONNORG_CALLBACK_SECRETS'
  'CONNORG_RESULT_SECRETS'
]

// No version in the address: a new version of the secret is taken within a day.
var vaultSettings = [
  for name in union(mayBeSecret, secretSettings): {
    name: name
    value: contains(secretSettings, name)
      ? format('@Microsoft.KeyVault(SecretUri={0}secrets/{1})', vaultUri, toLower(replace(name, '_', '-')))
      : ''
  }
]

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-connorg-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-connorg-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'functions' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
      '${packageIdentityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      appSettings: concat(plainSettings, vaultSettings)
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainer
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: packageIdentityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
    }
  }
}

// Publishing is for Entra identities too: no user name, no password.
resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
}

resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
}

// Requests without a token are let through to the code, which refuses them on every route but those
// that need none (CONNORG_REQUIRE_ENTRA). App Service can't do that itself: it leaves paths out by
// their beginning alone, and /api/onboardings/{id}/result needs no token where /api/onboardings/{id}
// does. It still checks each token, and takes the headers away by which a caller might pose as
// signed in. On the paths left out it looks at nothing: webhooks bring credentials of their own.
resource authentication 'Microsoft.Web/sites/config@2025-03-01' = if (withEntra) {
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
      excludedPaths: [
        '/api/webhooks/*'
      ]
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: entraClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            entraClientId
            'api://${entraClientId}'
            'api://${tenant().tenantId}/connorg-${environmentName}'
          ]
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}

#disable-next-line use-recent-api-versions // there is no newer one; 2016-09-01 is older and knows less
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: site
  name: 'connorg'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'FunctionAppLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

output name string = site.name
output url string = 'https://${site.properties.defaultHostName}/api'
