/** Which points of a line matter from how far: a bend is left out where it moves the line by less than can be seen. */

type Point = readonly [number, number, number];

/** Of each point, how far the line would run beside it without it (Ramer 1972; Douglas and Peucker 1973). A point never
 *  matters more than the one whose leaving out comes after its own. Both ends matter always. */
export function weightsOf(points: readonly Point[]): Float32Array {
  const weights = new Float32Array(points.length).fill(Number.POSITIVE_INFINITY);
  const parts: [number, number, number][] = [[0, points.length - 1, Number.POSITIVE_INFINITY]];
  for (let part = parts.pop(); part; part = parts.pop()) {
    const [first, last, most] = part;
    let [middle, farthest] = [-1, -1];
    for (let i = first + 1; i < last; i++) {
      const away = distance(points[i] as Point, points[first] as Point, points[last] as Point);
      if (away > farthest) [middle, farthest] = [i, away];
    }
    if (middle < 0) continue;
    const weight = Math.min(most, farthest);
    weights[middle] = weight;
    parts.push([first, middle, weight], [middle, last, weight]);
  }
  return weights;
}

/** From a point to the straight piece between two others. */
function distance(p: Point, a: Point, b: Point): number {
  const way = [b[0] - a[0], b[1] - a[1], b[2] - a[2]] as const;
  const arm = [p[0] - a[0], p[1] - a[1], p[2] - a[2]] as const;
  const long = way[0] ** 2 + way[1] ** 2 + way[2] ** 2;
  const along = long > 0 ? (arm[0] * way[0] + arm[1] * way[1] + arm[2] * way[2]) / long : 0;
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(arm[0] - t * way[0], arm[1] - t * way[1], arm[2] - t * way[2]);
}
