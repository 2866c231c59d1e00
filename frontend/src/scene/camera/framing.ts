/** Which view shows what somebody asks for, with room for the words along it. Moves nothing. */

import { shapeAt } from "../../graph/shape";
import type { Plate } from "../../layout/types";
import type { Parts } from "../parts";
import type { Place } from "../plates/plate-state";
import { type CellRectangle, isTokenAxis } from "../plates/sheets";
import { printable } from "../text/label-tokens";
import type { MapWords } from "../text/map-words";
import type { CameraState, CellHit, FlightTarget, LabelSubject } from "../types";
import { type Insets, sane } from "./camera";
import { framingOf, placesView, READING_DISTANCE, regionView } from "./views";

/** From this share of the distance at which the whole map is seen, it is the map that is looked at. */
const WHOLE = 0.7;
/** Within so many times the distance at which a plate fills the window, one goes on to its cell. */
const CLOSER = 1.4;

export class Framing {
  constructor(
    private readonly parts: Parts,
    private readonly words: MapWords,
  ) {}

  /** Whether there is anything to look at. */
  get hasModel(): boolean {
    return this.parts.stage.layout.plates.length > 0;
  }

  /** The view of a target; null where nothing is drawn of it. */
  of(target: FlightTarget): CameraState | null {
    const { stage, eye } = this.parts;
    if ("region" in target) return regionView(stage.layout, target.region, eye.aspect);
    if ("plateOf" in target) {
      const found = stage.find(target.plateOf);
      return found && this.plate(found.plate);
    }
    const places = [...stage.places({ tensor: target.tensor, index: target.index ?? [] })];
    return this.places(
      places.map(({ plate, rectangle }) => this.inUse(plate, rectangle)),
      places.length === 1 ? this.insetsOf(places[0]!.plate) : {},
    );
  }

  /** The view of what a name names. */
  ofLabel(subject: LabelSubject): CameraState | null {
    if ("region" in subject) return this.of(subject);
    const { stage } = this.parts;
    const plate = stage.windows[stage.numberOf(subject.plate)]?.plate;
    return plate ? this.plate(plate) : null;
  }

  /** The view of the plate under the pointer; from there, of its cell. */
  nearer(hit: CellHit): CameraState {
    const { state } = this.parts.eye;
    const used = this.inUse(hit.plate);
    const whole = this.places([used], this.insetsOf(hit.plate))!;
    // In the room for tokens to come there is nothing to go nearer to.
    const inside = hit.column < used.rectangle[2] && hit.row < used.rectangle[3];
    const closer = inside && state.distance <= whole.distance * CLOSER;
    const near = sane({ ...whole, target: hit.point, distance: Math.min(READING_DISTANCE, state.distance) });
    return closer ? near : whole;
  }

  /** Straight on: the whole map where the eye is about as far, or what it looks at; null where there is no map. */
  straight(): CameraState | null {
    const { plates } = this.parts.stage.layout;
    const { state, aspect, insets } = this.parts.eye;
    if (plates.length === 0) return null;
    const whole = framingOf(plates, aspect, 0, 0, insets);
    return state.distance >= whole.distance * WHOLE ? whole : { ...state, azimuth: 0, elevation: 0 };
  }

  private plate(plate: Plate): CameraState | null {
    return this.places([this.inUse(plate)], this.insetsOf(plate));
  }

  private places(places: readonly Place[], insets: Insets): CameraState | null {
    const { stage, eye } = this.parts;
    const standing = stage.windows.map(({ plate }) => plate);
    return placesView(places, standing, eye.aspect, eye.state, insets);
  }

  /** The room that a plate's name and the tokens along its axes take. */
  private insetsOf(plate: Plate): Insets {
    const { values, eye, labels } = this.parts;
    const info = values.sheets.tensor(plate.source);
    const { clientHeight } = eye.window;
    if (clientHeight === 0) return {};
    const { footShare, tokens } = this.words;
    // Its own name, under the trail.
    const above = labels.height("plain") / clientHeight;
    if (!info || info.role === "weight") return { above, below: footShare };
    const longest = (axis: number | null): number => {
      const name = info.axes[axis ?? -1];
      if (!isTokenAxis(name)) return 0;
      const texts = info.source_axes.includes(name ?? "") ? tokens.source : tokens.target;
      return texts.reduce((most, text) => Math.max(most, labels.width(printable(text), "axis") + 4), 0);
    };
    return {
      above,
      left: longest(plate.rowAxis) / clientHeight,
      below: longest(plate.columnAxis) / clientHeight + footShare,
    };
  }

  /** What tokens have come for, of a rectangle of a plate: the rest of the room for them is empty. */
  private inUse(plate: Plate, rectangle: CellRectangle = [0, 0, plate.columns, plate.rows]): Place {
    const info = this.parts.values.sheets.tensor(plate.source);
    const { target, source } = this.words.tokens;
    const shape = info && shapeAt(info, { target: target.length, source: source.length });
    // Where nothing has been read yet, all of it.
    const count = (axis: number | null, size: number): number =>
      axis === null ? size : Math.min(size, shape?.[axis] || size);
    const [left, top, right, bottom] = rectangle;
    const [columns, rows] = [count(plate.columnAxis, plate.columns), count(plate.rowAxis, plate.rows)];
    const inside = left < columns && top < rows;
    return {
      plate,
      rectangle: inside ? [left, top, Math.min(right, columns), Math.min(bottom, rows)] : rectangle,
    };
  }
}
