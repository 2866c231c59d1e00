/** A token's text with white space and odd bytes visible, and dimmed. */

import { tokenParts } from "../../format";

export function TokenText({ text }: { text: string }) {
  return (
    <span class="token-text">
      {tokenParts(text).map((part, at) => (
        <span key={at} class={part.mark ? "mark" : undefined}>
          {part.text}
        </span>
      ))}
    </span>
  );
}
