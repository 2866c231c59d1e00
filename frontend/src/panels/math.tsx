/** Formulas, typeset by KaTeX. It is loaded when first needed, and sets its styles property by property on elements,
 *  which the pages' policy allows; markup with styles in it would be refused. Screen readers get its MathML. */

import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

type Katex = typeof import("katex").default;

const katex = signal<Katex | null>(null);
let asked = false;
const made = new Map<string, DocumentFragment>();
const KEPT = 400;

/** Fetches KaTeX ahead of the first formula. */
export async function loadMath(): Promise<void> {
  if (asked) return;
  asked = true;
  const [{ default: loaded }] = await Promise.all([import("katex"), import("katex/dist/katex.min.css")]);
  katex.value = loaded;
}

export function Formula({
  latex,
  roles = [],
  block = false,
}: {
  latex: string;
  roles?: readonly string[];
  block?: boolean;
}) {
  const host = useRef<HTMLSpanElement>(null);
  const loaded = katex.value;
  useLayoutEffect(() => {
    if (!host.current) return;
    if (!loaded) {
      void loadMath();
      host.current.textContent = "";
      return;
    }
    host.current.replaceChildren(typeset(loaded, latex, block).cloneNode(true));
    for (const [n, role] of roles.entries())
      for (const element of host.current.querySelectorAll(`.operand-${n}`)) element.classList.add(role);
  }, [loaded, latex, roles.join(" "), block]);
  return <span class={`formula${block ? " block" : ""}`} ref={host} />;
}

function typeset(loaded: Katex, latex: string, block: boolean): DocumentFragment {
  const key = `${block} ${latex}`;
  const known = made.get(key);
  if (known) return known;
  const element = document.createElement("span");
  loaded.render(latex, element, {
    displayMode: block,
    throwOnError: false,
    strict: "ignore",
    trust: ({ command }) => command === "\\htmlClass",
    macros: { "\\operand": "\\htmlClass{operand operand-#1}{#2}" },
  });
  const fragment = document.createDocumentFragment();
  fragment.append(...element.childNodes);
  made.set(key, fragment);
  if (made.size > KEPT) made.delete(made.keys().next().value!);
  return fragment;
}
