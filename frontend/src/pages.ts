/** What every page does in the browser: it wears the shared styles, and its theme button works.
 *  The map's page draws its own button; the one found here is the other pages', which the server draws. */

import "./styles/base.css";
import { theme, toggleTheme } from "./theme";

const button = document.querySelector<HTMLButtonElement>("[data-toggle-theme]");
if (button) {
  button.hidden = false; // without this script it could do nothing
  button.addEventListener("click", toggleTheme);
  theme.subscribe((now) => {
    button.setAttribute("aria-label", now === "dark" ? "Light theme" : "Dark theme");
  });
}
