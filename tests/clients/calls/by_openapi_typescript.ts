// Calls the app by the types that openapi-typescript makes, with openapi-fetch. See test_generated.py.

import createClient from "openapi-fetch";
import type { components, paths } from "../made/types.js";

const [api, key, reference, createdDomain, refusedDomain] = process.argv.slice(2) as [
  string, string, string, string, string,
];

function asked(domainName: string): components["schemas"]["OnboardingRequest"] {
  return {
    displayName: "Contoso",
    description: "A partner",
    identitySources: [{ "@odata.type": "#microsoft.graph.domainIdentitySource", domainName }],
    state: "configured",
    reference,
  };
}

const client = createClient<paths>({ baseUrl: api, headers: { "x-functions-key": key } });
const refused = await client.POST("/connected-organizations", { body: asked(refusedDomain) });
const problem: components["schemas"]["Problem"] | undefined = refused.error;
if (!problem?.onboardingId) throw new Error(`it was not refused: ${refused.response.status}`);
const id = problem.onboardingId;
const retried = await client.POST("/onboardings/{id}/retry", { params: { path: { id } } });
const created = await client.POST("/connected-organizations", { body: asked(createdDomain) });
const listed = await client.GET("/onboardings", { params: { query: { reference, top: 10 } } });
if (!created.data || !("status" in created.data) || !listed.data || typeof listed.data === "string") throw new Error("no answer");

console.log(JSON.stringify({
  refused: [problem.status, problem.code],
  retried: retried.data?.id === id,
  created: [created.data.status, created.data.conclusion],
  listed: listed.data.value.map((one) => {
    const source = one.request?.identitySources[0];
    return source && "domainName" in source ? source.domainName : undefined;
  }).sort(),
}));
