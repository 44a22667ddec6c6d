// The console: who is signed in, the pages, and what was said last.
import { useEffect, useRef, useState } from "./hooks.js";
import { forgetKey, keepKey, key, rights as readRights } from "./api.js";
import { html, render } from "./html.js";
import { Overview } from "./overview.js";
import { Onboardings } from "./onboardings.js";
import { OnboardingPage } from "./onboarding.js";
import { BatchPage } from "./batch.js";
import { Connect } from "./connect.js";
import { PartnerPage } from "./partner.js";
import { Partners } from "./partners.js";
import { Field, Heading, explain } from "./parts.js";
import { to, usePause, usePlace } from "./state.js";
import { t } from "./texts.js";

const SIGN_IN = document.documentElement.dataset.signIn; // key, app-service or token
const LOGIN = "/.auth/login/aad?post_login_redirect_uri=";
const LOGOUT = "/.auth/logout?post_logout_redirect_uri=";

function App() {
  const [session, set] = useState({ isKnown: SIGN_IN === "key" && !key() });
  const open = async () => {
    try {
      set({ isKnown: true, rights: await readRights() });
    } catch (error) {
      if (error.status === 401 && key()) forgetKey();
      set({ isKnown: true, error: error.status === 401 && SIGN_IN !== "key" ? undefined : error });
    }
  };
  useEffect(() => {
    const close = () => {
      forgetKey();
      set((now) => (now.rights ? { isKnown: true } : now));
    };
    addEventListener("connorg-signed-out", close);
    if (!session.isKnown) open();
    return () => removeEventListener("connorg-signed-out", close);
  }, []);
  if (!session.isKnown) return html`<main id="main"><p class="quiet">${t.loading}</p></main>`;
  if (!session.rights) return html`<${SignIn} error=${session.error} open=${open} />`;
  return html`<${Shell} rights=${session.rights} leave=${() => {
    sessionStorage.clear();
    if (SIGN_IN === "app-service") location.assign(LOGOUT + encodeURIComponent(location.pathname));
    else set({ isKnown: true });
  }} />`;
}

function SignIn({ error, open }) {
  const [text, type] = useState("");
  const words = t.signIn;
  const wrong = error && (error.status === 401 ? words.wrongKey : error.status === 403 ? words.noRead : explain(error));
  const submit = (event) => {
    event.preventDefault();
    keepKey(text.trim());
    open();
  };
  const back = encodeURIComponent(location.pathname + location.hash);
  return html`<main id="main" class="sign-in">
    <${Heading} page=${words.title}><span class="brand">${t.title}</span> ${words.title}<//>
    ${SIGN_IN === "key" && html`<form onSubmit=${submit}>
      <${Field} name="key" label=${words.key} help=${words.keyHelp} fault=${wrong}>${(field) => html`<input ...${field}
        type="password" required autocomplete="off" spellcheck=${false} value=${text}
        onInput=${(event) => type(event.target.value)} />`}<//>
      <p><button type="submit" class="main">${words.submit}</button></p>
    </form>`}
    ${SIGN_IN !== "key" && wrong && html`<p class="notice bad" role="alert">${wrong}</p>`}
    ${SIGN_IN === "app-service" && html`<p>${words.appService}</p>
      <p><a class="button main" href=${LOGIN + back}>${words.withMicrosoft}</a></p>`}
    ${SIGN_IN === "token" && html`<p>${words.token}</p>`}
  </main>`;
}

function Shell({ rights, leave }) {
  const { path, filters } = usePlace();
  const [paused, pause] = usePause();
  const main = useRef();
  const [page, id] = path;
  const current = page || "overview";
  const pages = Object.keys(t.pages).filter((name) => name !== "connect" || rights.submit);
  return html`<header>
      <button type="button" class="skip" onClick=${() => main.current.focus()}>${t.skip}</button>
      <a class="brand" href=${to("")}>${t.title}</a>
      <nav aria-label=${t.navigation}><ul>${pages.map((name) => html`<li key=${name}>
        <a href=${to(name === "overview" ? "" : name)} aria-current=${current === name ? "page" : undefined}>${t.pages[name]}</a>
      </li>`)}</ul></nav>
      <div class="session">
        <button type="button" class="small" aria-pressed=${paused} onClick=${pause}>${paused ? t.resume : t.pause}</button>
        <button type="button" class="small" onClick=${leave}
          title=${key() ? t.signedInByKey : t.signedInByAppService}>${t.signOut}</button>
      </div>
    </header>
    <${Said} />
    <main id="main" ref=${main} tabindex="-1">${shown(current, id, filters, rights)}</main>`;
}

function shown(page, id, filters, rights) {
  if (page === "overview") return html`<${Overview} rights=${rights} />`;
  if (page === "onboardings" && id) return html`<${OnboardingPage} key=${id} id=${id} rights=${rights} />`;
  if (page === "onboardings") return html`<${Onboardings} filters=${filters} rights=${rights} />`;
  if (page === "partners" && id) return html`<${PartnerPage} key=${id} id=${id} rights=${rights} />`;
  if (page === "partners") return html`<${Partners} filters=${filters} />`;
  if (page === "connect" && rights.submit) return html`<${Connect} filters=${filters} rights=${rights} />`;
  if (page === "batches" && id) return html`<${BatchPage} key=${id} id=${id} rights=${rights} />`;
  return html`<${Heading} page=${t.notFound} /><p><a href=${to("")}>${t.toOverview}</a></p>`;
}

/** What actions came to. It is read aloud, and stays until it is closed or another is there. */
function Said() {
  const [said, set] = useState(null);
  useEffect(() => {
    const note = (event) => set(event.detail);
    const clear = () => set((now) => (now?.isError ? null : now));
    addEventListener("connorg-said", note);
    addEventListener("hashchange", clear);
    return () => {
      removeEventListener("connorg-said", note);
      removeEventListener("hashchange", clear);
    };
  }, []);
  return html`<div class="said" role="status" aria-label=${t.messages}>${said && html`<div class="notice ${said.isError ? "bad" : "good"}">
    <div><p>${said.text}</p>
      ${said.others.length > 0 && html`<ul>${said.others.slice(0, 5).map(
        (each) => html`<li>${t.other(each.name, each.reason)}</li>`,
      )}</ul>`}
    </div>
    <button type="button" class="small" onClick=${() => set(null)}>${t.close}</button>
  </div>`}</div>`;
}

render(html`<${App} />`, document.body);
