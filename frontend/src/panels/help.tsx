/** What the hands can do. */

const KEYS: readonly (readonly [string, string])[] = [
  ["drag", "pan"],
  ["right-drag, shift-drag", "turn"],
  ["wheel, pinch", "zoom at the pointer"],
  ["double-click", "fly to what is under the pointer"],
  ["click", "keep a cell in the inspector"],
  ["arrow keys, on the cell", "move to the neighbouring cell"],
  ["P", "pin the explanation of a cell"],
  ["G, B", "follow a number to what it was made from, and back"],
  ["A", "play the arithmetic of the chosen cell"],
  ["F", "fit the whole model"],
  ["/", "go to a tensor by name"],
  ["Enter, in the text", "read it; Shift+Enter breaks the line"],
  ["?", "this list"],
];

export function Help() {
  return (
    <section aria-label="Help">
      <h3>Hands</h3>
      <dl class="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt class="mono">{key}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <h3>Scale</h3>
      <p>
        Every square of the map is one number of the model, at the same size everywhere. Nothing on it is made
        up: a cell without its number is left empty.
      </p>
    </section>
  );
}
