// What somebody has to know of. docs/operations.md tells what to do about each.
param token string
param location string
param tags { *: string }
param workspaceId string

@description('Who is told by e-mail; blank: nobody.')
param email string

@description('Action groups that are told too, as resource ids.')
param actionGroupIds string[]

param oldestWaitingMinutes int

var byMail = empty(email)
  ? []
  : [
      people.id
    ]
var told = concat(byMail, actionGroupIds)

// severity: 1 somebody must act, 2 somebody should look. Each query gives a column that is summed up,
// or whose highest value is taken, over 15 minutes.
var alerts = [
  {
    name: 'failed'
    title: 'connorg: onboardings failed'
    text: 'An onboarding has ended as failed. It is kept with its reason and can be replayed.'
    severity: 2
    query: loadTextContent('../queries/alert-failed.kql')
    column: 'Failed'
    aggregation: 'Total'
    threshold: 0
  }
  {
    name: 'poisoned'
    title: 'connorg: poison messages'
    text: 'A message could not be handled in five tries, or not be read. Its onboarding has failed with the reason.'
    severity: 1
    query: loadTextContent('../queries/alert-poisoned.kql')
    column: 'Poisoned'
    aggregation: 'Total'
    threshold: 0
  }
  {
    name: 'waiting'
    title: 'connorg: an onboarding waits too long'
    text: 'The oldest onboarding that is not done has waited for longer than it should.'
    severity: 2
    query: loadTextContent('../queries/alert-waiting.kql')
    column: 'OldestSeconds'
    aggregation: 'Maximum'
    threshold: oldestWaitingMinutes * 60
  }
  {
    name: 'blocked'
    title: 'connorg: Microsoft Graph refuses the app'
    text: 'The app lacks a permission or the tenant a license. Onboardings wait and go through once it is granted; GET health says which.'
    severity: 1
    query: loadTextContent('../queries/alert-blocked.kql')
    column: 'Blocked'
    aggregation: 'Total'
    threshold: 0
  }
  {
    name: 'deleted'
    title: 'connorg: an organization was deleted'
    text: 'Somebody with the role deleted a connected organization. The saved query "Audit" says who.'
    severity: 2
    query: loadTextContent('../queries/alert-deleted.kql')
    column: 'Deleted'
    aggregation: 'Total'
    threshold: 0
  }
  {
    name: 'role'
    title: 'connorg: a role was refused'
    text: 'Somebody asked for a change that their app role does not allow. The saved query "Audit" says who.'
    severity: 2
    query: loadTextContent('../queries/alert-role.kql')
    column: 'Refused'
    aggregation: 'Total'
    threshold: 0
  }
  {
    name: 'errors'
    title: 'connorg: errors'
    text: 'The app logged errors or raised exceptions that nobody expected.'
    severity: 2
    query: loadTextContent('../queries/alert-errors.kql')
    column: 'Errors'
    aggregation: 'Total'
    threshold: 0
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-connorg-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'connorg'
    enabled: true
    emailReceivers: [
      {
        name: 'identity team'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

#disable-next-line use-recent-api-versions // the only newer one is of 2026: sovereign clouds lag behind by months
resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in alerts: {
    name: 'connorg-${alert.name}-${token}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alert.title
      description: alert.text
      severity: alert.severity
      enabled: true
      autoMitigate: true
      skipQueryValidation: true // on the first day there is nothing to ask yet
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      scopes: [
        workspaceId
      ]
      criteria: {
        allOf: [
          {
            query: alert.query
            metricMeasureColumn: alert.column
            timeAggregation: alert.aggregation
            operator: 'GreaterThan'
            threshold: alert.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: told
      }
    }
  }
]
