/** Writes the script of a cell: its operands leave their plates, meet on a slip of paper, are multiplied and added, and
 *  the result lands in its cell. */

import type { Script, Slip, Sum, Where } from "./script";
import { inSteps } from "./step-script";
import { asTerms } from "./term-script";

/** Writes the script of a cell. `where` is where a cell stands; null for what has no plate: it comes in from the
 *  edge of the slip. */
export function rehearse(sum: Sum, where: Where, slip: Slip): Script {
  return sum.steps.length > 0 ? inSteps(sum, where, slip) : asTerms(sum, where, slip);
}
