// The app's right to onboard, as app roles of Microsoft Graph: the Bicep way to what
// `python -m infra.grant --with app-role` does. It takes the right AppRoleAssignment.ReadWrite.All in Entra
// (Privileged Role Administrator). The smaller right, the directory role Identity Governance
// Administrator, the extension can't assign: `python -m infra.grant --with directory-role` does.
targetScope = 'subscription'

extension microsoftGraphV1

@description('The object id of the app\'s identity: CONNORG_PRINCIPAL_ID of main.bicep.')
param principalId string

@description('Let the app know which tenant a domain belongs to, too.')
param tenantLookup bool = true

var names = concat(
  [
    'EntitlementManagement.ReadWrite.All'
  ],
  tenantLookup
    ? [
        'CrossTenantInformation.ReadBasic.All'
      ]
    : []
)

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource assignments 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for name in names: {
    resourceId: graph.id
    principalId: principalId
    appRoleId: filter(graph.appRoles, role => role.value == name)[0].id
  }
]

output granted string[] = names
