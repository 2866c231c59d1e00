/** The atlas page: put together, connected to its server, and opened at its address. */

import "./pages";
import "./styles/controls.css";
import { assemble } from "./assemble";
import { ApiError } from "./net/rest";
import { prepare } from "./panels/lenses/plotly";
import { currentAddress, follow, mirror } from "./session/address-bar";
import { askEarly } from "./session/prefetch";
import { placeIn } from "./state/lesson";
import * as state from "./state/store";

async function start(): Promise<void> {
  const host = document.getElementById("app");
  if (!host) return;
  const lists = askEarly(currentAddress().model);
  const scheme = window.location.protocol === "https:" ? "wss" : "ws";
  const { session, map, lessons } = assemble(host, `${scheme}://${window.location.host}/api/v1/stream`);
  session.connect();
  try {
    const [models, capabilities] = await lists;
    state.models.value = models;
    state.defaultModel.value = capabilities.default_model ?? null;
    state.device.value = [capabilities.device, capabilities.dtype].filter(Boolean).join(" · ");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    state.pageProblem.value = { message: error.message, hint: error.hint };
    return;
  }
  const first = currentAddress();
  await follow(first, session, map);
  if (first.lesson !== undefined) {
    const { lesson, step } = placeIn(first.lesson);
    void lessons.open(lesson, step);
  }
  mirror(session, map);
  // Half a second of the processor's time: not while the first picture is being made.
  // A reader who has looked for a while may open a chart next; whoever has just come has better uses for the processor.
  void window.__atlas?.whenIdle().then(() => setTimeout(prepare, 8000));
}

void start();
