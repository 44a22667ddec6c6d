// The app registration whose tokens callers of connorg bring, with the app roles that it asks for.
// A deployment of its own: it needs the Microsoft Graph extension (bicepconfig.json beside it) and a
// right in Entra, Application Administrator, that whoever deploys the rest need not have.
targetScope = 'subscription'

extension microsoftGraphV1

@description('The same as for main.bicep.')
param environmentName string

@description('The address of the app, https://APP.azurewebsites.net, where people sign in with a browser by App Service. Blank: nobody does.')
param signInAddress string = ''

// People sign in with it at their own machine: `az login`, and the command's and the doctor's --scope.
var azureCli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
var scopeId = guid('connorg', 'access_as_user')

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
    oauth2PermissionScopes: [
      {
        id: scopeId
        value: 'access_as_user'
        type: 'User'
        isEnabled: true
        adminConsentDisplayName: 'Call connorg'
        adminConsentDescription: 'Call connorg as whoever is signed in. What they may do there, their app roles say.'
        userConsentDisplayName: 'Call connorg'
        userConsentDescription: 'Call connorg as you. What you may do there, your app roles say.'
      }
    ]
    preAuthorizedApplications: [
      {
        appId: azureCli
        delegatedPermissionIds: [
          scopeId
        ]
      }
    ]
  }
  // App Service takes the id token of who signs in; it needs a credential of its own for that, which is not
  // made here (docs/deploy.md).
  web: {
    redirectUris: empty(signInAddress)
      ? []
      : [
          '${signInAddress}/.auth/login/aad/callback'
        ]
    implicitGrantSettings: {
      enableIdTokenIssuance: !empty(signInAddress)
      enableAccessTokenIssuance: false
    }
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
