/** Paints a matrix's numbers into a canvas: by the map's shader, or without a map cell by cell in the same colours. */

import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import type { Role } from "../../graph/types";
import type { MatrixPort } from "../../scene/ports";
import { theme } from "../../theme";
import { useActions } from "../shared/actions";
import { cellColour } from "../shared/colour";
import { type Picture, valueIn } from "./matrix-part";
import type { Viewport } from "./use-viewport";

/** Paints again whenever the numbers, the part in view or the theme change. `full` is the |value| of full colour. */
export function useMatrixPicture(
  canvas: RefObject<HTMLCanvasElement | null>,
  { size, width, height, scroll, ratio }: Viewport,
  picture: Picture | null,
  role: Role,
  full: number,
): void {
  const { map } = useActions();
  useLayoutEffect(() => {
    const target = canvas.current;
    if (!target || !picture || width <= 0) return;
    target.width = Math.round(width * ratio);
    target.height = Math.round(height * ratio);
    const span = 2 ** picture.level;
    const left = (scroll.left / size - picture.left) / span;
    const top = (scroll.top / size - picture.top) / span;
    draw(map, target, { picture, role, full, size: size * ratio * span, left, top });
  }, [map, picture, role, full, size, width, height, ratio, scroll, theme.value]);
}

interface Drawn {
  readonly picture: Picture;
  readonly role: Role;
  readonly full: number;
  readonly size: number;
  readonly left: number;
  readonly top: number;
}

function draw(map: MatrixPort | null, target: HTMLCanvasElement, drawn: Drawn): void {
  const { picture, role, full, size, left, top } = drawn;
  if (map?.drawMatrix(target, { ...picture, role, full, size, left, top })) return;
  const pen = target.getContext("2d");
  if (!pen) return;
  const whole = { ...picture, level: 0, top: 0, left: 0 };
  for (let row = 0; row < picture.rows; row++)
    for (let column = 0; column < picture.columns; column++) {
      const value = valueIn(whole, row, column);
      if (value === null) continue;
      pen.fillStyle = cellColour(theme.value, role, value, full);
      pen.fillRect((column - left) * size, (row - top) * size, size, size);
    }
}
