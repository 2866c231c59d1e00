/** What is looked at, in the page's address: the eye, the chosen cell, how heads stand, and the panel with its
 *  attention. */

import { computed, signal } from "@preact/signals";
import { HEAD_ARRANGEMENTS, type HeadArrangement } from "../layout/head-arrangement";
import { readAttention, writeAttention } from "./attention";
import { codec, plainText, wholeNumbers } from "./codec";
import { attention, attentionUnread, type Cell, heads, panel, selected } from "./store";

/** Where the eye is or flies to: target, distance, azimuth and elevation. */
export const viewpoint = signal<readonly number[] | undefined>(undefined);

export const cameraCodec = codec({
  key: "camera",
  where: "query",
  read: (from): readonly number[] | undefined => {
    const camera = from.get("camera")?.split("_").map(Number);
    return camera?.every(Number.isFinite) ? camera : undefined;
  },
  write: (camera, into) => into.set("camera", camera.join("_")),
  signal: viewpoint,
  history: "replace",
});

export const selectedCodec = codec({
  key: "selected",
  where: "query",
  read: (from): Cell | undefined => {
    const said = /^([\w.]+)\[([\d_]*)\]$/.exec(from.get("select") ?? "");
    return said ? { tensor: said[1]!, index: wholeNumbers(said[2]!) ?? [] } : undefined;
  },
  write: ({ tensor, index }, into) => into.set("select", `${tensor}[${index.join("_")}]`),
  signal: computed(() => selected.value ?? undefined),
  history: "replace",
});

/** How heads stand in the map; a fan where nothing is said. */
export const headsCodec = codec({
  key: "heads",
  where: "query",
  read: (from): HeadArrangement | undefined => HEAD_ARRANGEMENTS.find((name) => name === from.get("heads")),
  write: (arrangement, into) => {
    if (arrangement !== "fan") into.set("heads", arrangement);
  },
  signal: heads,
  history: "replace",
  take: {
    when: "before",
    // Heads that stand otherwise are another layout, which the address bar sees to.
    onRetrace: false,
    into: (arrangement) => {
      heads.value = arrangement ?? "fan";
    },
  },
});

export const panelCodec = codec({
  key: "panel",
  where: "query",
  ...plainText("panel"),
  signal: computed(() => (panel.value === "inspector" ? undefined : panel.value)),
  history: "replace",
  take: {
    when: "before",
    onRetrace: true,
    into: (name) => {
      // Addresses from before there were lenses say "charts".
      panel.value = name === "charts" ? "lenses" : (name ?? "inspector");
    },
  },
});

/** Part, layer, head, stage and view of the attention panel. */
export const attentionCodec = codec({
  key: "attention",
  where: "query",
  ...plainText("attention"),
  signal: computed(() => (panel.value === "attention" ? writeAttention(attention.value) : undefined)),
  history: "replace",
  take: { when: "before", onRetrace: true, into: takeAttention },
});

/** Shows the attention that an address asks for, or says that nobody can read it. */
export function takeAttention(text: string | undefined): void {
  const asked = text === undefined ? null : readAttention(text);
  if (asked) attention.value = asked;
  attentionUnread.value = text !== undefined && !asked ? text : null;
}
