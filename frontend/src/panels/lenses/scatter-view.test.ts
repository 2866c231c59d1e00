import { expect, test } from "vitest";
import { namedRows, scatterFile, scatterOf, turned } from "./scatter-view";

const FIGURE = {
  data: [
    {
      type: "scatter3d",
      x: [2, 0],
      y: [0, 2],
      z: [0, 0],
      text: ["&lt;s&gt;", "b"],
      marker: { color: "#00857a" },
    },
  ],
  layout: { title: { text: "W_E" }, scene: { xaxis: { title: { text: "component 1" } } } },
};

test("seen straight on, right is right, up is up, and what comes forward is nearer", () => {
  const straight = { azimuth: 0, elevation: 0 };
  expect(turned([1, 0, 0], straight)).toEqual([1, -0, 0]);
  expect(turned([0, 1, 0], straight)[1]).toBe(-1);
  expect(turned([0, 0, 1], straight)[2]).toBe(1);
  const side = turned([0, 0, 1], { azimuth: Math.PI / 2, elevation: 0 });
  expect(side[0]).toBeCloseTo(1);
  expect(side[2]).toBeCloseTo(0);
});

test("all points are within the picture, and their names are text", () => {
  const { points } = scatterOf(FIGURE, { azimuth: 0, elevation: 0 });
  expect(points.map(({ name }) => name).sort()).toEqual(["<s>", "b"]);
  for (const { x, y } of points) expect(Math.min(x, y)).toBeGreaterThan(0);
});

test("the file for paper is a picture of its own", () => {
  const file = scatterFile(FIGURE, { azimuth: 0.6, elevation: 0.4 });
  expect(file).toContain("&lt;s&gt;");
  expect(file.match(/<circle/g)).toHaveLength(2);
  expect(file).not.toContain("class=");
});

test("names are written where they lie on no nearer one's", () => {
  const point = (row: number, x: number, y: number) => ({
    row,
    x,
    y,
    depth: row / 10,
    name: "little",
    colour: null,
  });
  // The farthest first: the second hides the first, the third stands below, the fourth beside.
  const points = [point(0, 100, 100), point(1, 110, 104), point(2, 100, 120), point(3, 150, 104)];
  expect([...namedRows(points)].sort()).toEqual([1, 2, 3]);
  expect(namedRows(Array.from({ length: 81 }, (_, row) => point(row, 9 * row, 0))).size).toBe(0);
});
