// Calls the app by the client that openapi-generator makes for TypeScript. See test_generated.py.

import {
  Configuration,
  OnboardingsApi,
  OrganizationsApi,
  ProblemFromJSON,
  ResponseError,
  State,
  type Onboarding,
  type OnboardingRequest,
} from "../made/typescript-fetch/index.js";

const [api, key, reference, createdDomain, refusedDomain] = process.argv.slice(2) as [
  string, string, string, string, string,
];

function asked(domainName: string): OnboardingRequest {
  return {
    displayName: "Contoso",
    description: "A partner",
    identitySources: [{ atOdataType: "#microsoft.graph.domainIdentitySource", domainName }],
    state: State.Configured,
    reference,
  };
}

const configuration = new Configuration({ basePath: api, apiKey: key });
const organizations = new OrganizationsApi(configuration);
const onboardings = new OnboardingsApi(configuration);

async function refusal(): Promise<ReturnType<typeof ProblemFromJSON>> {
  try {
    await organizations.submitOrganization({ onboardingRequest: asked(refusedDomain) });
  } catch (error) {
    if (error instanceof ResponseError) return ProblemFromJSON(await error.response.json());
    throw error;
  }
  throw new Error("it was not refused");
}

const problem = await refusal();
const retried = await onboardings.replayOnboarding({ id: problem.onboardingId! });
const created = await organizations.submitOrganization({ onboardingRequest: asked(createdDomain) }) as Onboarding;
const page = await onboardings.listOnboardings({ reference, top: 10 });

console.log(JSON.stringify({
  refused: [problem.status, problem.code],
  retried: retried.id === problem.onboardingId,
  created: [created.status, created.conclusion],
  listed: page.value.map((one) => {
    const source = one.request?.identitySources[0];
    return source && "domainName" in source ? source.domainName : undefined;
  }).sort(),
}));
