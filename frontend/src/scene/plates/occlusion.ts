/** What stands before a point of a plate. All plates face the viewer, in a few planes: a ray meets each plane in one
 *  point, and a grid over the plane says which plates are there. So asking for hundreds of labels costs little, however
 *  many plates there are. */

import type { Plate } from "../../layout/types";
import type { Vec3 } from "../camera/camera";

/** Sides of a square of the grid, in cells. */
const PITCH = 1024;

type Plane = Map<number, Plate[]>;

const squareOf = (x: number, y: number): number => Math.floor(x / PITCH) * 0x100000 + Math.floor(y / PITCH);

export class Cover {
  private readonly planes = new Map<number, Plane>();

  constructor(plates: Iterable<Plate>) {
    for (const plate of plates) {
      const plane: Plane = this.planes.get(plate.z) ?? new Map();
      this.planes.set(plate.z, plane);
      for (let x = plate.x; x < plate.x + plate.columns + PITCH; x += PITCH)
        for (let y = plate.y; y < plate.y + plate.rows + PITCH; y += PITCH) {
          const square = squareOf(Math.min(x, plate.x + plate.columns), Math.min(y, plate.y + plate.rows));
          const there = plane.get(square);
          if (!there) plane.set(square, [plate]);
          else if (there.at(-1) !== plate) there.push(plate);
        }
    }
  }

  /** True if a ray (world space, y up) meets a plate before it comes to depth `z`. Plates in `moved` stand elsewhere by
   *  now: where, is what they are mapped to. */
  before(z: number, eye: Vec3, way: Vec3, moved: ReadonlyMap<number, Plate>): boolean {
    for (const [depth, plane] of this.planes) {
      const at = depth > z ? meet(depth, eye, way) : null;
      const there = at && plane.get(squareOf(at[0], at[1]));
      if (there?.some((plate) => !moved.has(plate.id) && holds(plate, at as [number, number]))) return true;
    }
    for (const plate of moved.values()) {
      const at = plate.z > z ? meet(plate.z, eye, way) : null;
      if (at && holds(plate, at)) return true;
    }
    return false;
  }
}

/** Where a ray comes through a plane, in layout space; null when it does not. */
function meet(z: number, eye: Vec3, way: Vec3): [number, number] | null {
  const along = (z - eye[2]) / way[2];
  return along > 0 ? [eye[0] + way[0] * along, -(eye[1] + way[1] * along)] : null;
}

function holds({ x, y, columns, rows }: Plate, [px, py]: readonly [number, number]): boolean {
  return px >= x && px <= x + columns && py >= y && py <= y + rows;
}
