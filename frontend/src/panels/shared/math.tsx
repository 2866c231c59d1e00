/** Formulas, typeset by KaTeX. It is loaded when first needed, and sets its styles property by property on elements,
 *  which the pages' policy allows; markup with styles in it would be refused. Screen readers get its MathML. */

import { computed, signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import "./formula.css";

type Katex = typeof import("katex").default;

const katex = signal<Katex | null>(null);
let asked = false;
const made = new Map<string, DocumentFragment>();
const KEPT = 400;

/** Whether formulas can be typeset: what stands around one takes more room from then on. */
export const mathReady = computed(() => katex.value !== null);

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
  fit = false,
}: {
  latex: string;
  roles?: readonly string[];
  block?: boolean;
  /** Smaller where it would be wider than what it stands in. */
  fit?: boolean;
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
    if (fit) shrink(host.current);
  }, [loaded, latex, roles.join(" "), block, fit]);
  return <span class="formula" ref={host} />;
}

/** Letters below this size, in pixels, are not read any more. */
const SMALLEST = 8;

function shrink(formula: HTMLElement): void {
  formula.style.fontSize = "";
  const room = formula.clientWidth;
  const wide = formula.scrollWidth;
  if (wide <= room || room === 0) return;
  const size = Number.parseFloat(getComputedStyle(formula).fontSize);
  formula.style.fontSize = `${Math.max(SMALLEST, Math.floor(((size * room) / wide) * 10) / 10)}px`;
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
