/** The scene: the model as a map. The page makes one with `createMap` and needs nothing else of this folder. */

export * from "./types";
