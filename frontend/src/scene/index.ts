/** The scene: the model as a map. The page makes one with `makeCanvas` and `createMap` and needs nothing else of this folder. */

export { cameraAt, stateOf } from "./camera/pass-camera";
export { createMap } from "./map";
export { type Callouts, type Corner, makeCallouts, type SeenRectangle } from "./overlays/callouts";
export { type FlyingCells, type FlyingRectangle, makeFlyingCells } from "./overlays/flying-cells";
export type { MakeOverlay, Overlay, OverlayFrame, OverlayHost } from "./overlays/overlay";
export { makePassFrames, type PassFrames } from "./overlays/pass-frames";
export type * from "./ports";
export { makeCanvas } from "./renderer";
export { type Box, Placement } from "./text/label-choice";
export * from "./types";
