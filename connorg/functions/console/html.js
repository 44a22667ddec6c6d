// Preact and htm, as all modules here use them: html`<p>${text}</p>` makes elements, never from text.
import { h, render } from "./preact.js";
import htm from "./htm.js";

export const html = htm.bind(h);
export { render };
