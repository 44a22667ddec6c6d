// What is happening, at a glance, and the same queries to start a search from.
param location string
param tags { *: string }
param workspaceName string

var queries = [
  {
    name: 'now'
    title: 'Now'
    text: loadTextContent('../queries/now.kql')
    shownAs: 'tiles'
  }
  {
    name: 'intake'
    title: 'Accepted and concluded'
    text: loadTextContent('../queries/intake.kql')
    shownAs: 'timechart'
  }
  {
    name: 'concluded'
    title: 'How onboardings end'
    text: loadTextContent('../queries/concluded.kql')
    shownAs: 'timechart'
  }
  {
    name: 'waiting'
    title: 'Waiting'
    text: loadTextContent('../queries/waiting.kql')
    shownAs: 'timechart'
  }
  {
    name: 'graph'
    title: 'Microsoft Graph: seconds a call'
    text: loadTextContent('../queries/graph.kql')
    shownAs: 'timechart'
  }
  {
    name: 'graph-refusals'
    title: 'Microsoft Graph: attempts, throttled, blocked'
    text: loadTextContent('../queries/graph-refusals.kql')
    shownAs: 'timechart'
  }
  {
    name: 'problems'
    title: 'Warnings and errors'
    text: loadTextContent('../queries/problems.kql')
    shownAs: 'table'
  }
  {
    name: 'audit'
    title: 'Audit: who changed what'
    text: loadTextContent('../queries/audit.kql')
    shownAs: 'table'
  }
]

// It asks for an id, so it stands among the saved queries alone.
var oneOnboarding = {
  name: 'onboarding'
  title: 'One onboarding, from intake to Graph'
  text: loadTextContent('../queries/onboarding.kql')
}

var timeRange = {
  type: 9
  name: 'time'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    parameters: [
      {
        id: guid('connorg', 'time')
        version: 'KqlParameterItem/1.0'
        name: 'Time'
        type: 4
        isRequired: true
        value: {
          durationMs: 86400000
        }
        typeSettings: {
          allowCustom: true
          selectableValues: [
            {
              durationMs: 3600000
            }
            {
              durationMs: 86400000
            }
            {
              durationMs: 604800000
            }
          ]
        }
      }
    ]
  }
}

var charts = [
  for query in queries: {
    type: 3
    name: query.name
    content: {
      version: 'KqlItem/1.0'
      title: query.title
      query: query.text
      size: 0
      timeContextFromParameter: 'Time'
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      crossComponentResources: [
        workspace.id
      ]
      visualization: query.shownAs
      tileSettings: {
        titleContent: {
          columnMatch: 'What'
        }
        leftContent: {
          columnMatch: 'Value'
          formatter: 12
        }
      }
    }
  }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspace.id, 'connorg')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'connorg: what is happening'
    category: 'workbook'
    sourceId: workspace.id
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat([timeRange], charts)
    })
  }
}

// Azure refuses eight at once, and refuses to put one over another whose etag isn't told.
@batchSize(1)
resource saved 'Microsoft.OperationalInsights/workspaces/savedSearches@2025-07-01' = [
  for query in concat(queries, [oneOnboarding]): {
    parent: workspace
    name: 'connorg-${query.name}'
    etag: '*'
    properties: {
      category: 'connorg'
      displayName: query.title
      query: query.text
      version: 2
    }
  }
]
