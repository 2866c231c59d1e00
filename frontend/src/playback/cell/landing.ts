/** The last way of a cell's result: from the slip to its cell. */

import type { Point } from "../../layout/view";
import { at } from "./phases";
import type { FlightPath, Key, Phase, Sum, Where } from "./script";

/** What becomes of the result: it stays on the slip beside what it is made of, and flies to its cell. */
export function landing(
  { scaleOf, keys }: FlightPath,
  sum: Sum,
  where: Where,
  land: Phase,
): readonly FlightPath[] {
  const last = keys.at(-1)!;
  const { value } = sum.target;
  const home = where(sum.target.tensor, sum.target.index);
  const stays = { scaleOf, keys: [...keys, { ...last, at: land.stop, value, label: "=" }] };
  if (!home) return [stays];
  const key = (share: number, position: Point, size: number, strength: number): Key => ({
    at: at(land, share),
    position,
    size,
    value,
    strength,
    label: "",
  });
  const place = last.position;
  const landed = [key(0.85, home, 1, 0), key(0.86, home, 1, 1), key(1, home, 1, 1)];
  const flies = [
    key(0, place, last.size, 0),
    key(0.02, place, last.size, 1),
    key(0.86, home, 1, 1),
    key(0.88, home, 1, 0),
  ];
  return [{ scaleOf, keys: landed }, { scaleOf, quiet: true, keys: flies }, stays];
}
