/** Gives every page the shared styles, and makes its theme button work.
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
