/** The button that names the model, and the list behind it. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { formatCount } from "../format";
import { ParityBadge } from "../panels/explain/parity-badge";
import { useActions } from "../panels/shared/actions";
import { FIRST_ATTENTION } from "../state/attention";
import { attention, model, models } from "../state/store";
import { PullOffers } from "./pull-offers";
import "./model-picker.css";

const megabytes = (bytes: number) => `${(bytes / 1e6).toPrecision(2)} MB`;

export function ModelPicker() {
  const { session } = useActions();
  const open = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const leave = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) open.value = false;
    };
    document.addEventListener("pointerdown", leave);
    return () => document.removeEventListener("pointerdown", leave);
  }, [open]);
  const now = model.value;
  const close = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    open.value = false;
    box.current?.querySelector("button")?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes the list from any control within
    <div class="model-picker" ref={box} onKeyDown={close}>
      <button
        type="button"
        class="pill mono"
        aria-expanded={open.value}
        aria-controls="models"
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <span class="model-id">{now ? now.id : "choose a model"}</span>
        {now && <span class="model-size"> · {formatCount(now.parameters)} numbers</span>}
        <span aria-hidden="true"> ▾</span>
      </button>
      {open.value && (
        <ul id="models" class="popover">
          {models.value.map((candidate) => (
            <li key={candidate.id} class={candidate.id === now?.id ? "on" : undefined}>
              <button
                type="button"
                aria-current={candidate.id === now?.id}
                onClick={() => {
                  open.value = false;
                  if (candidate.id === now?.id) return;
                  attention.value = { ...FIRST_ATTENTION, view: attention.value.view };
                  void session.open(candidate.id, { writes: true });
                }}
              >
                <b>{candidate.title}</b>
                <span>{candidate.description}</span>
                <span class="mono soft">
                  {candidate.id} · {formatCount(candidate.parameters)} numbers ·{" "}
                  {megabytes(candidate.size_bytes)} · {candidate.loaded ? "loaded" : "loads when chosen"}
                </span>
              </button>
              <a href={`/models/${encodeURIComponent(candidate.id)}`}>its card</a>
              {candidate.id === now?.id && (
                <ParityBadge
                  model={candidate.id}
                  close={() => {
                    open.value = false;
                  }}
                />
              )}
            </li>
          ))}
          <PullOffers />
        </ul>
      )}
    </div>
  );
}
