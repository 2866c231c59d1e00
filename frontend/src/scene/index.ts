/** The scene: the model as a map. The page makes one with `makeCanvas` and `createMap` and needs nothing else of this folder. */

export { type Callouts, type Corner, makeCallouts, type SeenRectangle } from "./callouts";
export { type FlyingCells, type FlyingRectangle, makeFlyingCells } from "./flying_cells";
export { type Box, Placement } from "./label_choice";
export { createMap } from "./map";
export type { MakeOverlay, Overlay, OverlayFrame, OverlayHost } from "./overlay";
export { cameraAt, stateOf } from "./pass_camera";
export { makePassFrames, type PassFrames } from "./pass_frames";
export { makeCanvas } from "./renderer";
export * from "./types";
