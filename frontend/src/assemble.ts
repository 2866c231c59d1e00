/** The page's parts, put together: the map, the session, the panels, and what they follow of each other. Nothing is
 *  fetched and no socket is opened here: `main.ts` does that, and whoever shows a source of its own does without. */

import { effect } from "@preact/signals";
import { h, render } from "preact";
import { columnOf } from "./panels/shared/column-of";
import { type CameraPort, createMap, type MapView, makeCanvas, NoWebGL2Error, type TestedMap } from "./scene";
import { currentAddress, takeWaitingCamera } from "./session/address-bar";
import { colourMap, fetchTensorScales } from "./session/colour-scales";
import { followComparison, rememberRuns } from "./session/comparing";
import { openOnLively } from "./session/first-head";
import { followChoice, followHead, forgetOthers, lightUp } from "./session/highlight";
import { LessonGuide } from "./session/lesson-guide";
import { rememberDock, rememberLessons, rememberOverview, rememberSpeed } from "./session/local-storage";
import { nameMap } from "./session/naming";
import { Session } from "./session/session";
import { followTextSize } from "./session/text-size";
import { followWindow } from "./session/window";
import { publish } from "./shell/debug-api";
import { Page } from "./shell/page";
import type { LaidOut } from "./state/laid-out";
import * as state from "./state/store";
import { theme } from "./theme";

export interface Assembled {
  readonly session: Session;
  /** Null without WebGL2. */
  readonly map: MapView | null;
  readonly lessons: LessonGuide;
}

/** Puts the page into an element. `address` is that of the stream, which the session connects to when it is told. */
export function assemble(host: HTMLElement, address: string): Assembled {
  const canvas = makeCanvas();
  canvas.tabIndex = 0;
  canvas.setAttribute("aria-label", "The map of the model; the inspector reads its cells by keyboard");
  const map = makeMap(canvas);
  const session = new Session(address, map, () => {
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
  return { session, map, lessons };
}

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
