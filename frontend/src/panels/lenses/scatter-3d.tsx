/** Points in three dimensions, turned by dragging or by the arrow keys: drawn as SVG, nearer points darker. */

import { useSignal } from "@preact/signals";
import type { LensTable } from "../../net/lenses";
import type { Figure } from "../../net/rest";
import { useActions } from "../shared/actions";
import { chosenRow, point, visit } from "./lens-link";
import { eye, namedRows, SIZE, scatterOf } from "./scatter-view";

const STEP = Math.PI / 24;
/** Radians a pixel dragged. */
const DRAG = 1 / 120;
const LIMIT = Math.PI / 2;

function turn(right: number, up: number): void {
  const { azimuth, elevation } = eye.value;
  eye.value = {
    azimuth: azimuth + right,
    elevation: Math.max(-LIMIT, Math.min(LIMIT, elevation + up)),
  };
}

export function Scatter3D({ figure, table }: { figure: Figure; table: LensTable | null }) {
  const { map } = useActions();
  const at = useSignal<number | null>(null);
  const { origin, axes, points } = scatterOf(figure, eye.value);
  const named = namedRows(points);
  const chosen = chosenRow(table?.places);
  return (
    <svg
      class="scatter"
      viewBox={`0 0 ${SIZE} ${SIZE}`}
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys turn it
      tabIndex={0}
      aria-label={`${points.length} points in three dimensions; the arrow keys turn them. The table has them all.`}
      onPointerMove={(event) => {
        if (event.buttons === 1) turn(event.movementX * DRAG, event.movementY * DRAG);
      }}
      onPointerDown={(event) => {
        if (event.target === event.currentTarget) event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onKeyDown={(event) => {
        const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!by) return;
        event.preventDefault();
        turn(by[0]! * STEP, by[1]! * STEP);
      }}
    >
      {axes.map(({ x, y }, number) => (
        <g key={number} class="axis">
          <line x1={origin.x} y1={origin.y} x2={x} y2={y} />
          <text x={x} y={y}>
            {number + 1}
          </text>
        </g>
      ))}
      {points.map(({ row, x, y, depth, name, colour }) => (
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
          onClick={() => visit(map, table?.places[row])}
        >
          <circle cx={x} cy={y} r={3.5} style={colour === null ? {} : { fill: colour }} />
          {(named.has(row) || row === at.value || row === chosen) && (
            <text x={x + 5} y={y - 3}>
              {name}
            </text>
          )}
        </g>
      ))}
      {axes.map(({ title }, number) => (
        <text key={number} class="axis-title" x={6} y={SIZE - 6 - 13 * (axes.length - 1 - number)}>
          {number + 1}: {title}
        </text>
      ))}
    </svg>
  );
}
