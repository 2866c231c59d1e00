/** Reads one binary frame of the stream: header length, JSON header, then raw numbers (docs/reference/stream.md). */

import type { Frame, FrameHeader } from "./types";

/** The header and its numbers, without a copy.
 *  @throws RangeError when the message is no frame of this version, or ends before its numbers do. */
export function parseFrame(message: ArrayBuffer): Frame {
  if (message.byteLength < 4) throw new RangeError("a frame of the stream is shorter than its header");
  const length = new DataView(message).getUint32(0, true);
  const start = 4 + length;
  if (start > message.byteLength) throw new RangeError("a frame of the stream ends within its header");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, length))) as FrameHeader;
  if (header.v !== 1) throw new RangeError(`the stream sends frames of version ${header.v}, not 1`);
  const count = header.shape.reduce((product, size) => product * size, 1);
  const bytes = count * (header.dtype === "f16" ? 2 : 4);
  if (start + bytes > message.byteLength)
    throw new RangeError(`the frame of ${header.name} ends before its numbers`);
  const values =
    header.dtype === "f16" ? new Uint16Array(message, start, count) : new Float32Array(message, start, count);
  return { header, values };
}
