/** What the hands can do, by keyboard, pointer and touch. */

import type { Panel } from "../shared/panel";

interface Sheet {
  readonly title: string;
  readonly rows: readonly (readonly [keys: string, what: string])[];
}

const SHEETS: readonly Sheet[] = [
  {
    title: "Pointer",
    rows: [
      ["drag", "move the map; let go on the way, and it glides on"],
      ["right-drag, Shift-drag", "turn and tilt it"],
      ["wheel, trackpad pinch", "zoom at the pointer"],
      ["click", "keep a cell in the inspector"],
      ["double-click", "fly to the plate there; once more, to the cell"],
    ],
  },
  {
    title: "Touch",
    rows: [
      ["one finger", "move the map"],
      ["two, pinching", "zoom, and move"],
      ["two, side by side", "tilt and turn"],
      ["tap, double-tap", "keep a cell; fly there"],
    ],
  },
  {
    title: "Finding one's way",
    rows: [
      ["/", "search tensors, sections and tokens"],
      ["Ctrl+V", "fly to the tensor whose name was copied"],
      ["F", "fit what is chosen, else everything"],
      ["0, Home", "fit everything"],
      ["Shift+F", "present: the map alone on the whole screen, with larger words"],
      ["Shift + arrow keys", "move the map"],
      ["+, −", "zoom"],
      ["Q E, R V", "turn left, right; tilt up, down"],
      [
        "M",
        "the overview, there when the window does not show everything, and away with it; drag in it to move",
      ],
      ["Alt+← →", "the last flight back, and forward"],
    ],
  },
  {
    title: "Reading numbers",
    rows: [
      ["arrow keys, on the cell", "move to the neighbouring cell"],
      ["G, B", "follow a number to what it was made from, and back"],
      ["P", "pin the explanation of a cell"],
      ["A", "play the arithmetic of the chosen cell"],
      ["Esc", "close the player; let go of the chosen cell"],
    ],
  },
  {
    title: "The forward pass, step by step",
    rows: [
      ["← →", "the operation before, and the next"],
      ["Space", "play and pause"],
      ["Page Up, Page Down", "from block to block"],
      ["Home, End", "the first operation, the last"],
      ["Esc", "leave it"],
    ],
  },
  {
    title: "Text",
    rows: [
      ["Enter, in the text", "read it; Shift+Enter breaks the line"],
      ["arrow keys, on a token", "to the next token; Enter shows what may follow it"],
      ["?", "this list"],
    ],
  },
];

export const HELP_PANEL: Panel = { id: "help", title: "?", label: "Help", key: "?", Component: Help };

export function Help() {
  return (
    <section aria-label="Help">
      {SHEETS.map(({ title, rows }) => (
        <section key={title}>
          <h3>{title}</h3>
          <dl class="keys">
            {rows.map(([keys, what]) => (
              <div key={keys}>
                <dt class="mono">{keys}</dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <h3>Signs in tokens</h3>
      <p>
        <span class="mono">␣</span> is a space, <span class="mono">↵</span> a new line,{" "}
        <span class="mono">⇥</span> a tabulator; <span class="mono">é(1/2)</span> is the first of the two
        bytes that spell é, where a token is no more than that.
      </p>
      <h3>Scale</h3>
      <p>
        Every square of the map is one number of the model, at the same size everywhere. Nothing on it is made
        up: a cell without its number is left empty.
      </p>
    </section>
  );
}
