/** Sets how the page is looked at: its panels, the size of its words, the whole screen, a link to what it shows; on a phone
 *  also the ways to other pages. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { present } from "../../session/window";
import { leftShown, phoneView, presenting, rightShown, toggleSide } from "../../state/shell";
import { panel } from "../../state/store";
import { chosenTextScale, LARGEST_TEXT, LEAST_TEXT, textScale } from "../../state/text-scale";
import "./view-menu.css";

export function ViewMenu() {
  const menu = useRef<HTMLDetailsElement>(null);
  const shut = () => {
    if (menu.current) menu.current.open = false;
  };
  return (
    <details
      ref={menu}
      class="view-menu"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !menu.current?.open) return;
        event.stopPropagation();
        shut();
        menu.current.querySelector("summary")?.focus();
      }}
      onFocusOut={(event) => {
        const to = event.relatedTarget;
        if (to instanceof Node && !menu.current?.contains(to)) shut();
      }}
    >
      <summary class="pill">View</summary>
      <div class="popover">
        <nav class="pages" aria-label="Pages">
          <button
            type="button"
            class="link"
            onClick={() => {
              panel.value = "attention";
              phoneView.value = "reading";
              shut();
            }}
          >
            Attention
          </button>
          <a href="/models">Models</a>
          <a href="/api">API</a>
        </nav>
        <TextSize />
        <button
          type="button"
          class="pill"
          onClick={() => {
            shut();
            present(true);
          }}
        >
          Present: the map alone, full screen <kbd>Shift+F</kbd>
        </button>
        <CopyLink />
      </div>
    </details>
  );
}

/** Sets the size of the words of page and map. */
export function TextSize() {
  const percent = Math.round(100 * textScale.value);
  return (
    <div class="text-size">
      <label>
        <span>Text size</span>
        <input
          type="range"
          min={100 * LEAST_TEXT}
          max={100 * LARGEST_TEXT}
          step={10}
          value={percent}
          aria-valuetext={`${percent} %`}
          onInput={(event) => {
            chosenTextScale.value = Number(event.currentTarget.value) / 100;
          }}
        />
      </label>
      <span class="mono">{percent} %</span>
      <button
        type="button"
        class="link"
        disabled={chosenTextScale.value === null}
        onClick={() => {
          chosenTextScale.value = null;
        }}
      >
        as the window
      </button>
    </div>
  );
}

function CopyLink() {
  const said = useSignal("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(window.location.href);
      said.value = "Copied. It holds text, view and what is chosen.";
    } catch {
      said.value = "The browser does not allow it; the link is in the address bar.";
    }
  };
  return (
    <>
      <button type="button" class="pill" onClick={() => void copy()}>
        Copy link
      </button>
      <span class="soft note" role="status">
        {said.value}
      </span>
    </>
  );
}

/** Shows and hides the panels beside the map. */
export function SideToggle({ side }: { side: "left" | "right" }) {
  const shown = (side === "left" ? leftShown : rightShown).value;
  const what = side === "left" ? "Text panel" : "Reading panel";
  return (
    <button
      type="button"
      class="pill side-toggle"
      aria-label={what}
      aria-pressed={shown}
      title={shown ? `Hide the ${what.toLowerCase()}` : `Show the ${what.toLowerCase()}`}
      onClick={() => toggleSide(side)}
    >
      <svg viewBox="0 0 16 12" width="18" height="13.5" aria-hidden="true" class={side}>
        <rect x="0.75" y="0.75" width="14.5" height="10.5" rx="1.5" class="frame" />
        <rect
          x={side === "left" ? 1.5 : 10}
          y="1.5"
          width="4.5"
          height="9"
          class={shown ? "full" : "empty"}
        />
      </svg>
    </button>
  );
}

/** The controls that are left while the map is presented. */
export function Presenting() {
  if (!presenting.value) return null;
  return (
    <div class="presenting-bar">
      <TextSize />
      <button type="button" class="pill" title="Esc" onClick={() => present(false)}>
        Back to the page
      </button>
    </div>
  );
}

const VIEWS = [
  { view: "text", word: "Text" },
  { view: "attention", word: "Attention" },
  { view: "reading", word: "Reading" },
  { view: "map", word: "Map" },
] as const;

/** Chooses the one view that a phone shows, at its foot. */
export function PhoneBar() {
  const now = phoneView.value === "reading" && panel.value === "attention" ? "attention" : phoneView.value;
  return (
    <nav class="phone-bar" aria-label="Views">
      {VIEWS.map(({ view, word }) => (
        <button
          key={view}
          type="button"
          aria-current={now === view ? "true" : undefined}
          onClick={() => {
            phoneView.value = view === "attention" ? "reading" : view;
            if (view === "attention") panel.value = "attention";
            else if (view === "reading" && panel.value === "attention") panel.value = "inspector";
            window.scrollTo(0, 0);
          }}
        >
          {word}
        </button>
      ))}
    </nav>
  );
}
