// The app registration whose tokens callers of connorg bring, with the app roles that it asks for.
// A deployment of its own: it needs the Microsoft Graph extension (bicepconfig.json beside it) and a
// right in Entra, Application Administrator, that whoever deploys the rest need not have.
targetScope = 'subscription'

extension microsoftGraphV1

@description('The same as for main.bicep.')
param environmentName string

// connorg/functions/http/callers.py asks for these; tests/infra compares them.
var roles = [
  {
    value: 'Onboarding.Submit'
    text: 'Ask for partner organizations to be connected.'
  }
  {
    value: 'Onboarding.Read'
    text: 'Read onboardings and connected organizations.'
  }
  {
    value: 'Onboarding.Manage'
    text: 'Replay and cancel onboardings, change connected organizations and their sponsors.'
  }
  {
    value: 'Onboarding.Delete'
    text: 'Delete connected organizations.'
  }
]

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: 'connorg-${environmentName}'
  displayName: 'connorg ${environmentName}'
  signInAudience: 'AzureADMyOrg'
  identifierUris: [
    'api://${tenant().tenantId}/connorg-${environmentName}'
  ]
  api: {
    requestedAccessTokenVersion: 2
  }
  appRoles: [
    for role in roles: {
      id: guid('connorg', role.value)
      value: role.value
      displayName: role.value
      description: role.text
      isEnabled: true
      allowedMemberTypes: [
        'Application'
        'User'
      ]
    }
  ]
}

// Nobody gets a token for it unless a role was assigned.
resource principal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
  appRoleAssignmentRequired: true
}

output clientId string = application.appId
output principalId string = principal.id
