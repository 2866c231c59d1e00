/** How plates come to stand as a story wants them: they glide there, where motion is wanted. */

import type { Vec3 } from "../camera/camera";
import { GLIDE, moves, type Poses, posesBetween } from "../poses";
import type { Stage } from "./plate-state";

export class PoseGlide {
  private way: { readonly from: Poses; readonly to: Poses; readonly start: number } | null = null;

  constructor(
    private readonly stage: Stage,
    private readonly jumps: () => boolean,
  ) {}

  pose(poses: Poses): void {
    const from = this.stage.poses;
    const glides = !this.jumps() && moves(from, poses);
    this.way = glides ? { from, to: poses, start: performance.now() } : null;
    if (!glides) this.stage.pose(poses);
  }

  /** Ends the way at once. */
  settle(): void {
    if (this.way) this.stage.pose(this.way.to);
    this.way = null;
  }

  /** Carries plates on; true while they are on their way. */
  tick(now: number): boolean {
    if (!this.way) return false;
    const { from, to, start } = this.way;
    const share = Math.max(0, (now - start) / GLIDE);
    if (share >= 1) this.way = null;
    this.stage.pose(posesBetween(from, to, share));
    return share < 1;
  }

  /** How far a plate is from where it comes to rest. */
  left(plateId: number): Vec3 {
    if (!this.way) return [0, 0, 0];
    const [now, then] = [this.stage.poses, this.way.to].map((poses) => poses.get(plateId)?.offset);
    return [0, 1, 2].map((axis) => (then?.[axis] ?? 0) - (now?.[axis] ?? 0)) as unknown as Vec3;
  }
}
