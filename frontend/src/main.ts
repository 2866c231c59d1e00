/** The atlas page: puts net, state, scene and panels together. */

import "./pages";
import "./styles/controls.css";
import { effect } from "@preact/signals";
import { h, render } from "preact";
import { ApiError } from "./net/rest";
import { prepare } from "./panels/lenses/plotly";
import { columnOf } from "./panels/shared/column-of";
import { type CameraPort, createMap, type MapView, makeCanvas, NoWebGL2Error, type TestedMap } from "./scene";
import { currentAddress, follow, mirror, takeWaitingCamera } from "./session/address-bar";
import { colourMap, fetchTensorScales } from "./session/colour-scales";
import { followComparison, rememberRuns } from "./session/comparing";
import { openOnLively } from "./session/first-head";
import { followChoice, followHead, forgetOthers, lightUp } from "./session/highlight";
import { LessonGuide } from "./session/lesson-guide";
import { rememberDock, rememberLessons, rememberOverview, rememberSpeed } from "./session/local-storage";
import { nameMap } from "./session/naming";
import { askEarly } from "./session/prefetch";
import { Session } from "./session/session";
import { followTextSize } from "./session/text-size";
import { followWindow } from "./session/window";
import { publish } from "./shell/debug-api";
import { Page } from "./shell/page";
import type { LaidOut } from "./state/laid-out";
import { placeIn } from "./state/lesson";
import * as state from "./state/store";
import { theme } from "./theme";

function makeMap(canvas: HTMLCanvasElement): TestedMap | null {
  try {
    return createMap(canvas, { theme: theme.value });
  } catch (error) {
    if (!(error instanceof NoWebGL2Error)) throw error;
    canvas.hidden = true;
    state.mapProblem.value = {
      message: "The map needs WebGL 2, and this browser gives none.",
      hint: "Turn on hardware acceleration in the browser's settings, or try a current Firefox or Chromium. The text, the probabilities and the attention numbers work without it.",
    };
    return null;
  }
}

/** Passes on what the map tells the page. */
function listen(map: MapView, canvas: HTMLCanvasElement, session: Session): void {
  map.onWantedChange(() => session.wantsChanged());
  let pointer = { x: 0, y: 0 };
  canvas.addEventListener(
    "pointermove",
    (event) => {
      pointer = { x: event.clientX, y: event.clientY };
    },
    { capture: true },
  );
  map.onHover((hit) => {
    state.hovered.value = hit && {
      tensor: hit.tensor,
      index: hit.index,
      value: map.valueAt(hit.tensor, hit.index) ?? null,
      ...pointer,
    };
  });
  map.onSelect((hit) => {
    state.selected.value = hit && { tensor: hit.tensor, index: hit.index };
  });
  map.onContextLost((lost) => {
    state.mapProblem.value = lost
      ? {
          message: "The graphics driver took the map away.",
          hint: "It comes back by itself; if not, reload the page.",
        }
      : null;
  });
  effect(() => map.setTheme(theme.value));
  lightUp(map, (at) => columnOf(at, false));
  colourMap(map);
  nameMap(map);
  effect(() => {
    if (state.laidOut.value) followLayout(map, state.laidOut.value);
  });
}

let shown: LaidOut | null = null;

/** A new model is shown whole, unless the address says otherwise. More room for the same one, or another arrangement of
 *  its heads, leaves what is looked at where it is. */
function followLayout(map: CameraPort, now: LaidOut): void {
  const asked = takeWaitingCamera(map);
  if (!asked && now.model !== shown?.model) map.fit(false);
  shown = now;
}

async function start(): Promise<void> {
  const host = document.getElementById("app");
  if (!host) return;
  const lists = askEarly(currentAddress().model);
  const canvas = makeCanvas();
  canvas.tabIndex = 0;
  canvas.setAttribute("aria-label", "The map of the model; the inspector reads its cells by keyboard");
  const map = makeMap(canvas);
  const scheme = window.location.protocol === "https:" ? "wss" : "ws";
  const session = new Session(`${scheme}://${window.location.host}/api/v1/stream`, map, () => {
    const { clientWidth, clientHeight } = canvas;
    return clientWidth > 0 && clientHeight > 0 ? clientWidth / clientHeight : 1;
  });
  const lessons = new LessonGuide(session, map, (at) => columnOf(at, false));
  rememberDock();
  rememberLessons();
  rememberOverview();
  rememberSpeed();
  followTextSize();
  followWindow(map, currentAddress());
  host.replaceChildren();
  render(h(Page, { actions: { session, map, lessons }, canvas }), host);
  followChoice();
  followHead();
  openOnLively();
  forgetOthers();
  fetchTensorScales();
  rememberRuns();
  followComparison(session, map);
  if (map) listen(map, canvas, session);
  publish(map);
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
