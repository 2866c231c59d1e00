/** The card of a name on the map: what it names, in one sentence, and the way there. It stays while the pointer is on
 *  it, so that its button can be reached. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { findTensor } from "../../graph/shape";
import type { Graph } from "../../graph/types";
import { plainName, regionSentence, sentence } from "../../layout/plain-names";
import type { PlacesPort } from "../../scene/ports";
import type { MapLabel } from "../../scene/types";
import { graph } from "../../state/store";
import { useActions } from "../shared/actions";

/** Milliseconds that the pointer may take from the name to its card. */
const LINGER = 260;
const WIDTH = 270;
const HEIGHT = 110;

export function LabelCard({ canvas }: { canvas: HTMLCanvasElement }) {
  const { map } = useActions();
  const shown = useSignal<MapLabel | null>(null);
  const timer = useSignal(0);
  const stay = () => window.clearTimeout(timer.peek());
  const leave = (wait: number) => {
    stay();
    timer.value = window.setTimeout(() => {
      shown.value = null;
    }, wait);
  };
  useEffect(() => {
    if (!map) return;
    const ends = [
      map.onLabel((label) => {
        if (!label) {
          leave(LINGER);
          return;
        }
        stay();
        shown.value = label;
      }),
      map.onCameraChange(() => {
        stay();
        shown.value = null;
      }),
    ];
    return () => {
      stay();
      for (const end of ends) end();
    };
  }, [map]);
  const label = shown.value;
  const words = label && map && graph.value && wordsOf(map, graph.value, label);
  if (!label || !words || !map) return null;
  const below = label.bottom + HEIGHT < canvas.clientHeight;
  return (
    <div
      class="label-card"
      role="tooltip"
      style={{
        left: `${Math.max(6, Math.min(label.left, canvas.clientWidth - WIDTH - 6))}px`,
        top: `${below ? label.bottom + 3 : label.top - 3}px`,
        width: `${WIDTH}px`,
        transform: below ? undefined : "translateY(-100%)",
      }}
      onPointerEnter={stay}
      onPointerLeave={() => leave(0)}
    >
      <div class="name">
        {words.name} {words.short && <span class="mono soft">{words.short}</span>}
      </div>
      <p>{words.sentence}</p>
      <button type="button" class="link" onClick={() => map.flyToLabel(label.subject)}>
        Go there
      </button>
    </div>
  );
}

interface Words {
  readonly name: string;
  readonly short: string | null;
  readonly sentence: string;
}

function wordsOf(map: PlacesPort, of: Graph, { subject }: MapLabel): Words | null {
  if ("region" in subject) {
    const region = map.layout.regions.find(({ id }) => id === subject.region);
    return region ? { name: region.name, short: null, sentence: regionSentence(region) } : null;
  }
  const info = findTensor(of, subject.tensor);
  return info ? { name: plainName(info), short: info.name, sentence: sentence(info) } : null;
}
