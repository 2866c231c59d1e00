/** The page's names for what goes over the wire. The shapes are the server's own, in `contract.gen.ts`. */

import type { FrameHeader, Sampling as SamplingQuestion, Token } from "./contract.gen";

export type {
  Candidate,
  CellsWish,
  ClientMessage,
  ErrorBody,
  FrameHeader,
  InterventionAnswer as Intervention,
  ModelSummary,
  Pairing,
  Pool,
  Prediction,
  Reason,
  RunAnswer,
  ServerMessage,
  StartMessage,
  TensorStatistics,
  ThumbnailsHeader,
  TileWish,
  Token,
  WantMessage,
} from "./contract.gen";

/** A token as it is read: its id, its text, and of what is written where its characters stand. */
export type Word = Pick<Token, "id" | "text"> & Partial<Pick<Token, "start" | "end">>;

/** A sampling with every field said, as the page keeps it. */
export type Sampling = Required<SamplingQuestion>;

export interface Frame {
  readonly header: FrameHeader;
  /** Half floats as their bits, ready for a half-float texture. */
  readonly values: Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
}
