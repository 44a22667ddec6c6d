// connorg in one subscription: a resource group and all that runs in it. docs/deploy.md tells how.
targetScope = 'subscription'

@description('What scales by itself, and somebody waits for: all functions that are called by HTTP, or one that is not.')
type groupName = 'http' | 'function:ResumeOnboarding' | 'function:ResumeRow' | 'function:CallBack'

@description('Instances that are kept ready for a part of the app.')
@sealed()
type readyGroup = {
  name: groupName

  @description('How many.')
  @minValue(1)
  instanceCount: int
}

type names = string[]

@description('Where a delivery of a webhook has what is the same each time that it is repeated.')
@sealed()
type deliveryPlace = {
  header: string?
  path: string?
}

@description('A sender of webhooks: docs/connect/README.md tells its fields.')
@sealed()
type webhookSource = {
  profile: string?
  #disable-next-line use-user-defined-types // a scheme of which each has fields of its own
  proof: object?

  @description('Names of the app settings that hold its secrets.')
  @minLength(1)
  @maxLength(8)
  secrets: string[]
  counts: string?
  #disable-next-line use-user-defined-types // a template that may nest, with expressions for leaves
  request: object?
  #disable-next-line use-user-defined-types // any JSON
  defaults: object?
  deliveryId: deliveryPlace?
  mayRepeat: bool?
  identitySourceTypes: names?
}

@description('Names the resource group and, by a hash, everything in it.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('The region. It must offer Flex Consumption: az functionapp list-flexconsumption-locations.')
@metadata({
  azd: {
    type: 'location'
  }
})
@minLength(1)
param location string

@description('Tags on every resource.')
param tags { *: string } = {}

@description('The client id of the app registration whose tokens callers bring (entra/registration.bicep). Blank: callers bring function keys instead.')
param entraClientId string = ''

@description('App settings that differ from connorg\'s own defaults, by name. README has the table.')
param settings { *: string } = {}

@description('Who may send webhooks, as docs/connect/README.md declares them. It holds no secret.')
param webhookSources { *: webhookSource } = {}

@description('App settings that the vault fills: CONNORG_CALLBACK_SECRETS, CONNORG_RESULT_SECRETS, those that webhookSources name. The secret is named like the setting, in lower case with - for _.')
param secretSettings string[] = []

@description('Memory of an instance in MB; it brings CPU with it.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('HTTP requests that one instance handles at a time. They wait for Graph more than they compute.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 50

@description('The most instances that there may ever be. It caps what a storm can cost.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances that are kept ready, for example [{"name": "http", "instanceCount": 1}, {"name": "function:ResumeOnboarding", "instanceCount": 1}]. With zoneRedundant two or more each.')
param alwaysReady readyGroup[] = []

@description('Spread instances and storage over the zones of the region.')
param zoneRedundant bool = false

@description('Reach storage and vault over private endpoints alone, from a virtual network made here.')
param privateNetwork bool = false

@description('The address space of the virtual network.')
param addressSpace string = '10.60.0.0/24'

@description('The part of it for the app. /27 or larger: each instance takes an address.')
param appSubnet string = '10.60.0.0/25'

@description('The part of it for the private endpoints.')
param endpointSubnet string = '10.60.0.128/27'

@description('Days for which logs and metrics are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Who is told of alerts, by e-mail. Blank: nobody, alerts stand in the portal alone.')
param alertEmail string = ''

@description('Action groups that are told of alerts too, as resource ids.')
param actionGroupIds string[] = []

@description('The alert on the oldest waiting onboarding is raised after so many minutes.')
@minValue(5)
param oldestWaitingMinutes int = 60

var token = toLower(uniqueString(subscription().id, environmentName, location))
var storageName = 'stconnorg${token}'
var workspaceName = 'log-connorg-${token}'
var keepsOne = [
  for group in alwaysReady: group.instanceCount < 2
]
var allTags = union(tags, { 'azd-env-name': environmentName })

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-connorg-${environmentName}'
  location: location
  tags: allTags
}

// Its principal id, known at run time alone, is part of the names of role assignments on purpose: under a name
// without it, an identity that was deleted and made again would clash with the assignment of the old one
// (RoleAssignmentUpdateNotPermitted). The price: a preview can't say what happens to the assignments.
module identity 'modules/identity.bicep' = {
  scope: group
  params: {
    name: 'id-connorg-${token}'
    location: location
    tags: allTags
  }
}

// As whom the platform reads and writes the deployed package, and nothing else.
module packageIdentity 'modules/identity.bicep' = {
  scope: group
  params: {
    name: 'id-connorg-package-${token}'
    location: location
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    token: token
    workspaceName: workspaceName
    location: location
    tags: allTags
    #disable-next-line what-if-short-circuiting // see identity
    principalId: identity.outputs.principalId
    retentionDays: logRetentionDays
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: storageName
    location: location
    tags: allTags
    #disable-next-line what-if-short-circuiting // see identity
    principalId: identity.outputs.principalId
    #disable-next-line what-if-short-circuiting // see identity
    packagePrincipalId: packageIdentity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    zoneRedundant: zoneRedundant
    privateNetwork: privateNetwork
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    name: 'kv-connorg-${token}'
    location: location
    tags: allTags
    #disable-next-line what-if-short-circuiting // see identity
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    privateNetwork: privateNetwork
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  scope: group
  params: {
    token: token
    location: location
    tags: allTags
    addressSpace: addressSpace
    appSubnet: appSubnet
    endpointSubnet: endpointSubnet
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
  }
}

module app 'modules/app.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: allTags
    environmentName: environmentName
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    packageIdentityId: packageIdentity.outputs.id
    storageName: storageName
    storageEndpoints: storage.outputs.endpoints
    deploymentContainer: storage.outputs.deploymentContainer
    vaultUri: vault.outputs.uri
    applicationInsights: monitoring.outputs.connectionString
    workspaceId: monitoring.outputs.workspaceId
    subnetId: network.?outputs.appSubnetId ?? ''
    entraClientId: entraClientId
    settings: settings
    webhookSources: string(webhookSources)
    secretSettings: secretSettings
    instanceMemoryMB: instanceMemoryMB
    httpConcurrency: httpConcurrency
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: zoneRedundant && contains(keepsOne, true)
      ? fail('With zoneRedundant each group of alwaysReady has an instanceCount of 2 or more.')
      : alwaysReady
    zoneRedundant: zoneRedundant
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
    actionGroupIds: actionGroupIds
    oldestWaitingMinutes: oldestWaitingMinutes
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    workspaceName: workspaceName
  }
  dependsOn: [
    monitoring
  ]
}

// azd keeps these as environment variables, for its hooks and for whoever looks.
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_TENANT_ID string = tenant().tenantId
output CONNORG_URL string = app.outputs.url
output CONNORG_FUNCTION_APP string = app.outputs.name
output CONNORG_PRINCIPAL_ID string = identity.outputs.principalId
output CONNORG_KEY_VAULT string = vault.outputs.name
