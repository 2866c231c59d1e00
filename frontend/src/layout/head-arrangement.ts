/** How the heads of an attention may stand in the map: behind each other and rising, behind each other at one
 *  height, or side by side. */

export type HeadArrangement = "fan" | "stack" | "board";

export const HEAD_ARRANGEMENTS: readonly HeadArrangement[] = ["fan", "stack", "board"];
