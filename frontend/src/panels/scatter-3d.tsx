/** Points in three dimensions, turned by dragging or by the arrow keys: drawn as SVG, nearer points darker. */

import { useSignal } from "@preact/signals";
import type { LensTable } from "../net/lenses";
import type { Figure } from "../net/rest";
import { useActions } from "./actions";
import { chosenRow, point, visit } from "./lens-link";

const SIZE = 400;
const MARGIN = 34;
const STEP = Math.PI / 24;
/** Above this many points only the one pointed at is named. */
const MOST_NAMES = 80;

/** Where a point is seen: right, down, and toward the eye, each from -1 to 1 for points within the unit ball. */
export function turned(
  [x, y, z]: readonly [number, number, number],
  azimuth: number,
  elevation: number,
): readonly [number, number, number] {
  const right = x * Math.cos(azimuth) + z * Math.sin(azimuth);
  const toward = z * Math.cos(azimuth) - x * Math.sin(azimuth);
  return [
    right,
    -(y * Math.cos(elevation) - toward * Math.sin(elevation)),
    y * Math.sin(elevation) + toward * Math.cos(elevation),
  ];
}

export function Scatter3D({ figure, table }: { figure: Figure; table: LensTable | null }) {
  const { map } = useActions();
  const view = useSignal({ azimuth: 0.6, elevation: 0.4 });
  const at = useSignal<number | null>(null);
  const points = pointsOf(figure);
  const names = namesOf(figure);
  const titles = titlesOf(figure);
  const { azimuth, elevation } = view.value;
  const chosen = chosenRow(table?.places);
  const turn = (right: number, up: number) => {
    const limit = Math.PI / 2;
    view.value = {
      azimuth: azimuth + right,
      elevation: Math.max(-limit, Math.min(limit, elevation + up)),
    };
  };
  const place = (p: readonly [number, number, number]) => {
    const [x, y, depth] = turned(p, azimuth, elevation);
    const half = SIZE / 2;
    return { x: half + x * (half - MARGIN), y: half + y * (half - MARGIN), depth };
  };
  const seen = points.map((p, row) => ({ row, ...place(p) })).sort((a, b) => a.depth - b.depth);
  const origin = place([0, 0, 0]);
  return (
    <svg
      class="scatter"
      viewBox={`0 0 ${SIZE} ${SIZE}`}
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys turn it
      tabIndex={0}
      aria-label={`${points.length} points in three dimensions; the arrow keys turn them. The table has them all.`}
      onPointerMove={(event) => {
        if (event.buttons === 1) turn(event.movementX / 120, event.movementY / 120);
      }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onKeyDown={(event) => {
        const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!by) return;
        event.preventDefault();
        turn(by[0]! * STEP, by[1]! * STEP);
      }}
    >
      {(
        [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ] as const
      ).map((axis, number) => {
        const end = place(axis);
        return (
          <g key={number} class="axis">
            <line x1={origin.x} y1={origin.y} x2={end.x} y2={end.y} />
            <text x={end.x} y={end.y}>
              {number + 1}
            </text>
          </g>
        );
      })}
      {seen.map(({ row, x, y, depth }) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: the table is the way there by keyboard
        <g
          key={row}
          class={row === at.value || row === chosen ? "point on" : "point"}
          opacity={0.55 + 0.4 * depth}
          onPointerEnter={() => {
            at.value = row;
            point(table?.places[row]);
          }}
          onPointerLeave={() => {
            at.value = null;
            point(null);
          }}
          onDblClick={() => visit(map, table?.places[row])}
        >
          <circle cx={x} cy={y} r={3} />
          {(points.length <= MOST_NAMES || row === at.value || row === chosen) && (
            <text x={x + 5} y={y - 3}>
              {names[row]}
            </text>
          )}
        </g>
      ))}
      {titles.map((title, number) => (
        <text key={title} class="title" x={6} y={SIZE - 6 - 13 * (titles.length - 1 - number)}>
          {number + 1}: {title}
        </text>
      ))}
    </svg>
  );
}

/** The points, shrunk into the unit ball. */
function pointsOf(figure: Figure): readonly (readonly [number, number, number])[] {
  const { x, y, z } = figure.data[0] as unknown as Record<"x" | "y" | "z", readonly number[]>;
  const largest = Math.max(1e-12, ...x.map((_, at) => Math.hypot(x[at]!, y[at]!, z[at]!)));
  return x.map((_, at) => [x[at]! / largest, y[at]! / largest, z[at]! / largest] as const);
}

/** Plotly's texts are HTML; here they are plain. */
function namesOf(figure: Figure): readonly string[] {
  const texts = (figure.data[0] as { text?: readonly string[] }).text ?? [];
  const page = document.createElement("textarea");
  return texts.map((text) => {
    page.innerHTML = text;
    return page.value;
  });
}

function titlesOf(figure: Figure): readonly string[] {
  const scene = figure.layout.scene as Record<string, { title?: { text?: string } }> | undefined;
  return ["xaxis", "yaxis", "zaxis"].map((axis) => scene?.[axis]?.title?.text ?? "");
}
