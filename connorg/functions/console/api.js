// The API, as any caller has it. Who calls: a function key that this tab holds, or App Service's cookie.

const KEY = "connorg-function-key";
const ROOT = new URL("./", location.href); // the page is at …/api/console
const LARGEST_PAGE = 100;
const MOST_IDS = 500; // of one call of retry or cancel

/** What went wrong, as the API's problem says it. Without an answer the status is 0. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? "");
    this.status = status;
    Object.assign(this, { code: "", errors: [] }, problem);
  }
}

export const key = () => sessionStorage.getItem(KEY);
export const keepKey = (text) => sessionStorage.setItem(KEY, text);
export const forgetKey = () => sessionStorage.removeItem(KEY);

/** Return the address of a route, with those parameters that have a value. */
export function address(path, parameters = {}) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  }
  return url;
}

/** Call a route. Return the answer, whatever its status; throw ApiError if there is none. */
async function send(method, path, { parameters, body, type, headers, signal } = {}) {
  // The header is for calls that ride on a cookie: no form of another site can send it.
  const sent = { "X-Requested-With": "XMLHttpRequest", ...headers };
  if (key()) sent["x-functions-key"] = key();
  if (body !== undefined) sent["Content-Type"] = type ?? "application/json";
  try {
    return await fetch(address(path, parameters), {
      method,
      headers: sent,
      body: body === undefined || type ? body : JSON.stringify(body),
      signal,
      cache: "no-store",
      redirect: "manual", // App Service sends to a page of Entra whoever is not signed in any more
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, {});
  }
}

/** Call a route and return {data, headers}. Throw ApiError where the answer is no success. */
export async function call(method, path, options) {
  const answer = await send(method, path, options);
  const text = await answer.text();
  const isJson = /json/.test(answer.headers.get("Content-Type") ?? "");
  const data = text && isJson ? JSON.parse(text) : text;
  if (answer.ok) return { data, headers: answer.headers };
  const status = answer.type === "opaqueredirect" ? 401 : answer.status;
  if (status === 401) dispatchEvent(new Event("connorg-signed-out"));
  throw new ApiError(status, isJson ? data : {});
}

export const get = async (path, parameters, signal) =>
  (await call("GET", path, { parameters, signal })).data;

const MAY = {
  read: ["GET", "onboardings/none", {}],
  submit: ["POST", "connected-organizations", { parameters: { dryRun: true }, body: {} }],
  manage: ["POST", "onboardings/retry", { parameters: { dryRun: true } }],
  remove: ["POST", "onboardings/forget", { parameters: { dryRun: true } }],
};

/**
 * Return what the caller may do, by asking for it: calls that name nothing change nothing, and are
 * refused for their caller, or else for what they are. Throw ApiError where the caller may not read.
 */
export async function rights() {
  const answers = Object.entries(MAY).map(async ([name, [method, path, options]]) => {
    const { status, type } = await send(method, path, options);
    return [name, type === "opaqueredirect" ? 401 : status];
  });
  const statuses = Object.fromEntries(await Promise.all(answers));
  const isRefused = (status) => status === 401 || status === 403;
  if (isRefused(statuses.read)) throw new ApiError(statuses.read, {});
  return Object.fromEntries(Object.entries(statuses).map(([name, status]) => [name, !isRefused(status)]));
}

/** Return the first `pages` pages of a list as one: {value, continuationToken}. */
export async function list(path, parameters, pages, signal) {
  const found = { value: [] };
  for (let page = 0; page < pages; page++) {
    const { value, continuationToken } = await get(
      path,
      { ...parameters, top: LARGEST_PAGE, continuationToken: found.continuationToken },
      signal,
    );
    found.value.push(...value);
    found.continuationToken = continuationToken;
    if (!continuationToken) break;
  }
  return found;
}

/**
 * Retry or cancel onboardings: those with the ids, or all that match filters.
 * Return how many were changed, and of the others the names with the reasons.
 */
export async function changeMany(verb, { ids, filters }) {
  const result = { changed: 0, others: [] };
  const add = ({ replayed, canceled, notReplayed, notCanceled, onboardings }) => {
    const names = new Map(onboardings.map((each) => [each.id, each.displayName ?? each.id]));
    result.changed += (replayed ?? canceled).length;
    for (const { id, reason } of notReplayed ?? notCanceled) {
      result.others.push({ id, name: names.get(id) ?? id, reason });
    }
  };
  if (ids) {
    for (let start = 0; start < ids.length; start += MOST_IDS) {
      const body = { ids: ids.slice(start, start + MOST_IDS) };
      add((await call("POST", `onboardings/${verb}`, { body })).data);
    }
    return result;
  }
  const parameters = Object.values(filters).some(Boolean) ? filters : { all: true };
  for (let more = true; more; ) {
    const before = result.changed;
    const { data } = await call("POST", `onboardings/${verb}`, { parameters });
    add(data);
    more = data.more && result.changed > before; // what can't be changed would come again
  }
  return result;
}

/** Let the browser save what a route answers as CSV. */
export async function download(path, parameters, name) {
  const { data } = await call("GET", path, { parameters, headers: { Accept: "text/csv" } });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([data], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
