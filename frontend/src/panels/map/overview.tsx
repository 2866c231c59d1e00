/** The overview: the whole map in a corner, with the part that the window shows. Click or drag to go there. */

import { effect, untracked, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import {
  coversPlan,
  outlines,
  overviewOf,
  type Overview as Plan,
  type PlanPoint,
} from "../../layout/overview";
import type { Layout } from "../../layout/types";
import { footprint } from "../../scene/plates/footprint";
import type { CameraPort, PlacesPort } from "../../scene/ports";
import { played } from "../../state/explain";
import { overviewShown } from "../../state/navigation";
import { passing } from "../../state/pass";
import { graph, laidOut } from "../../state/store";
import { theme } from "../../theme";
import { useActions } from "../shared/actions";

const WIDEST = 168;
const TALLEST = 132;
/** A narrower window of the map has no room for it. */
const LEAST_WIDTH = 440;
const LEAST_HEIGHT = 320;
/** Pixels that it keeps from the map's edge. */
const EDGE = 10;
/** Share of the window that an arrow key moves by. */
const STEP = 0.25;

export function Overview({ canvas }: { canvas: HTMLCanvasElement }) {
  const { map } = useActions();
  const size = useSize(canvas);
  const legend = useLegendHeight(canvas);
  const asked = useSignal(false);
  useEffect(stepAside, []);
  if (!map || laidOut.value === null || size.width < LEAST_WIDTH || size.height < LEAST_HEIGHT) return null;
  // Over the map alone: what stands at its foot moves it up.
  const top = size.height - EDGE - legend;
  if (!overviewShown.value)
    return (
      <button
        type="button"
        class="pill overview-shut"
        style={{ top: `${top}px` }}
        title="M"
        onClick={() => {
          overviewShown.value = true;
          asked.value = true;
        }}
      >
        Overview
      </button>
    );
  return <Corner map={map} top={top} aspect={size.width / size.height} focus={asked.value} />;
}

/** While something is played it would lie over what is spoken of: it is a button then, until it is asked for. */
function stepAside(): () => void {
  let stepped = false;
  return effect(() => {
    const told = passing.value !== null || played.value !== null;
    untracked(() => {
      if (told && !stepped && overviewShown.value) overviewShown.value = false;
      else if (!told && stepped) overviewShown.value = true;
      else return;
      stepped = told;
    });
  });
}

function useSize(canvas: HTMLCanvasElement): { readonly width: number; readonly height: number } {
  const size = useSignal({ width: 0, height: 0 });
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      size.value = { width: canvas.clientWidth, height: canvas.clientHeight };
    });
    observer.observe(canvas);
    return () => observer.disconnect();
  }, [canvas]);
  return size.value;
}

/** The pixels at the foot that the legend of the colours needs, where it would reach under the overview; the legend is
 *  away while a pass is played. */
function useLegendHeight(canvas: HTMLCanvasElement): number {
  const height = useSignal(0);
  useEffect(() => {
    const legend = canvas.parentElement?.querySelector<HTMLElement>(".map-legend");
    if (!legend) return;
    const observer = new ResizeObserver(() => {
      const reaches = legend.offsetLeft + legend.offsetWidth > canvas.clientWidth - WIDEST - 4 * EDGE;
      height.value = reaches ? legend.offsetHeight : 0;
    });
    observer.observe(legend);
    observer.observe(canvas);
    return () => observer.disconnect();
  }, [canvas, graph.value]);
  return height.value;
}

/** In the corner of the window. It is away while the window shows everything, since it would lie over it, unless somebody
 *  is using it: `focus` is given to it when it was asked for. */
function Corner({
  map,
  top,
  aspect,
  focus,
}: {
  map: CameraPort & PlacesPort;
  top: number;
  aspect: number;
  focus: boolean;
}) {
  const { layout } = map;
  const plan = useMemo(() => overviewOf(layout, WIDEST, TALLEST), [layout]);
  const frame = useRef<SVGSVGElement>(null);
  const picture = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (picture.current) draw(picture.current, layout, plan);
  }, [layout, plan, theme.value]);
  useEffect(() => {
    const show = () => {
      if (!frame.current) return;
      const corners = footprint(map.getCamera(), map.aspect).map(plan.toPlan);
      showWindow(frame.current, corners, plan.toPlan(map.getCamera().target));
      box.current?.classList.toggle("needless", coversPlan(corners, plan));
    };
    show();
    return map.onCameraChange(show);
    // A window of another shape shows another part, though the eye stays where it is.
  }, [map, plan, aspect]);
  useLayoutEffect(() => {
    if (focus) frame.current?.parentElement?.focus();
  }, []);
  return (
    <div class="overview" ref={box} style={{ top: `${top}px` }}>
      {/* biome-ignore lint/a11y/useSemanticElements: a picture that takes arrow keys has no element of its own */}
      <div
        class="plan"
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move the view
        tabIndex={0}
        aria-label="Overview of the map: the arrow keys move the view, Enter shows everything"
        style={{ width: `${plan.width}px`, height: `${plan.height}px` }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          goTo(map, plan, event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) goTo(map, plan, event);
        }}
        onKeyDown={(event) => press(map, event)}
      >
        <canvas ref={picture} />
        <svg ref={frame} aria-hidden="true" width={plan.width} height={plan.height}>
          <polygon />
          <circle r="6" />
        </svg>
      </div>
      <button
        type="button"
        class="shut"
        aria-label="Hide the overview (key: M)"
        title="Hide (M)"
        onClick={() => {
          overviewShown.value = false;
        }}
      >
        ×
      </button>
    </div>
  );
}

/** Outlines what the window shows, and rings it where that is too small to be found. */
function showWindow(frame: SVGSVGElement, corners: readonly PlanPoint[], [x, y]: PlanPoint): void {
  const [polygon, circle] = [frame.children[0]!, frame.children[1]!];
  polygon.setAttribute("points", corners.map((corner) => corner.map((at) => at.toFixed(1)).join()).join(" "));
  const extent = Math.max(...corners.map(([cx, cy]) => Math.hypot(cx - x, cy - y)));
  circle.toggleAttribute("hidden", extent > 6);
  circle.setAttribute("cx", x.toFixed(1));
  circle.setAttribute("cy", y.toFixed(1));
}

/** The middle of the window goes to what is drawn under the pointer. */
function goTo(map: CameraPort, plan: Plan, event: PointerEvent & { currentTarget: HTMLElement }): void {
  const box = event.currentTarget.getBoundingClientRect();
  const within = (value: number, size: number) => Math.max(0, Math.min(size, value));
  const camera = map.getCamera();
  const [x, y] = [within(event.clientX - box.left, plan.width), within(event.clientY - box.top, plan.height)];
  map.setCamera({ ...camera, target: plan.fromPlan(x, y, camera.target[2]) });
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

function press(map: CameraPort, event: KeyboardEvent): void {
  const pan = ARROWS[event.key];
  if (event.key !== "Enter" && (!pan || event.shiftKey)) return;
  event.preventDefault();
  if (pan) map.nudge({ pan });
  else map.fit(true);
}

/** All plates, each in the hue of its role. */
function draw(picture: HTMLCanvasElement, layout: Layout, plan: Plan): void {
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  picture.width = Math.ceil(plan.width * ratio);
  picture.height = Math.ceil(plan.height * ratio);
  const context = picture.getContext("2d");
  if (!context) return;
  const paths = new Map<string, Path2D>();
  for (const { role, corners } of outlines(layout, plan)) {
    const path = paths.get(role) ?? new Path2D();
    paths.set(role, path);
    for (const [at, [x, y]] of corners.entries()) {
      if (at === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    }
    path.closePath();
  }
  const style = getComputedStyle(picture);
  context.scale(ratio, ratio);
  context.globalAlpha = 0.6;
  context.lineWidth = 0.5;
  for (const [role, path] of paths) {
    const colour = style.getPropertyValue(HUES[role] ?? "--su");
    context.fillStyle = colour;
    context.strokeStyle = colour;
    context.fill(path);
    // What is thinner than a pixel is to be seen as well.
    context.stroke(path);
  }
}

const HUES: Readonly<Record<string, string>> = {
  weight: "--wp",
  activation: "--ap",
  probability: "--pr",
  summary: "--su",
};
