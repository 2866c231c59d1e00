/** What is marked on the plates: the cell under the pointer, the chosen one, and the cells lit for a reason. */

import { Listeners } from "../listeners";
import type { CellHit, CellPattern } from "../types";
import type { PlateMesh } from "./plate-mesh";
import type { Stage } from "./plate-state";

export class Marks {
  readonly hovers = new Listeners<CellHit | null>();
  readonly selections = new Listeners<CellHit | null>();
  hovered: CellHit | null = null;
  private chosen: CellPattern | null = null;
  private lit: readonly CellPattern[] = [];

  constructor(
    private readonly stage: Stage,
    private readonly plates: PlateMesh,
    private readonly schedule: () => void,
  ) {}

  /** Tells the listeners at every move, and draws when it is another cell. */
  hover(hit: CellHit | null): void {
    const before = this.hovered;
    if (!hit && !before) return;
    this.hovered = hit;
    const same =
      hit !== null &&
      before !== null &&
      hit.plate.id === before.plate.id &&
      hit.row === before.row &&
      hit.column === before.column;
    if (!same) {
      this.plates.materials.mark(
        "hovered",
        hit && { plate: this.stage.numberOf(hit.plate.id), row: hit.row, column: hit.column },
      );
      this.schedule();
    }
    this.hovers.tell(hit);
  }

  choose(cell: CellPattern | null): void {
    this.chosen = cell;
    this.refresh();
  }

  light(cells: readonly CellPattern[]): void {
    this.lit = cells;
    this.refresh();
  }

  /** Finds everything again, after a new layout. */
  refresh(): void {
    const found = this.chosen && this.stage.find(this.chosen);
    this.plates.materials.mark(
      "chosen",
      found && {
        plate: this.stage.numberOf(found.plate.id),
        row: found.rectangle[1],
        column: found.rectangle[0],
      },
    );
    this.plates.clearLit();
    for (const cell of this.lit)
      for (const { plate, rectangle } of this.stage.places(cell))
        this.plates.light(this.stage.numberOf(plate.id), rectangle);
    this.schedule();
  }
}
