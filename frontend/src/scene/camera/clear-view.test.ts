import { describe, expect, test } from "vitest";
import { decoderGraph, SPECS } from "../../graph/fixtures";
import type { HeadArrangement } from "../../layout/head-arrangement";
import { layout } from "../../layout/layout";
import { shareInSight } from "./clear-view";
import { HOME, placesView, plateView, READING_DISTANCE } from "./views";

const now = { target: [0, 0, 0] as const, distance: 2000, ...HOME };

describe.each(["fan", "stack", "board"] satisfies HeadArrangement[])("heads as a %s", (heads) => {
  test.each(["sort", "stories", "small"])("of %s: every head is flown to where it is seen", (name) => {
    const { capacity, ...spec } = SPECS[name]!;
    const { plates } = layout(decoderGraph({ ...spec, layers: 1 }), { capacity, aspect: 1, heads });
    const hidden: string[] = [];
    for (const plate of plates) {
      if (plate.layer !== 0) continue;
      const share = shareInSight(plate, plates, plateView(plate, plates, 1, now));
      if (share < (heads === "stack" ? 0.6 : 0.9)) hidden.push(`${plate.tensor} ${plate.origin}: ${share}`);
    }
    expect(hidden).toEqual([]);
  });
});

test("nothing stands before a plate that is alone, and it is looked at as it was wanted", () => {
  const plate = { x: 0, y: 0, z: 0, columns: 10, rows: 10 };
  const far = { ...plate, z: -50 };
  const state = { target: [5, 5, 0] as const, distance: 60, azimuth: 0, elevation: 0 };
  expect(shareInSight(plate, [plate, far], state)).toBe(1);
  expect(shareInSight(far, [plate, far], state)).toBe(0);
});

test("a single cell is read from near by, some cells as a whole", () => {
  const { capacity, ...spec } = SPECS.stories!;
  const { plates } = layout(decoderGraph(spec), { capacity, aspect: 1 });
  const plate = plates.find(({ tensor }) => tensor === "blocks.0.mlp.W_in")!;
  const cell = placesView([{ plate, rectangle: [7, 9, 8, 10] }], plates, 1, now)!;
  expect(cell.target).toEqual([plate.x + 7.5, plate.y + 9.5, plate.z]);
  expect(cell.distance).toBe(READING_DISTANCE);
  const row = placesView([{ plate, rectangle: [0, 9, plate.columns, 10] }], plates, 1, now)!;
  expect(row.distance).toBeGreaterThan(1000);
  expect(placesView([], plates, 1, now)).toBeNull();
});
