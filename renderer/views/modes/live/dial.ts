/** Where an angle is on the dial, and which angle a pointer means: 0° at the top, counterclockwise as images are turned. */

/** The dial is an arc this far, and a whole circle beyond it. */
export const ARC = 90;
const WHOLE = 360;
/** Radii from the centre within which a pointer stays on the arc. */
const REACH = 1.3;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** In [0, 360). */
export const normal = (angle: number): number => ((angle % WHOLE) + WHOLE) % WHOLE;

export function pointAt(angle: number, radius: number, centre: Point): Point {
  const turn = (angle * Math.PI) / 180;
  return { x: centre.x - radius * Math.sin(turn), y: centre.y - radius * Math.cos(turn) };
}

/**
 * In whole degrees. Close to an arc the pointer cannot leave it by its ends; from further out it goes all round.
 * @param now the angle before: once beyond the arc, the dial is a circle
 */
export function angleAt(pointer: Point, radius: number, centre: Point, now: number): number {
  const [dx, dy] = [centre.x - pointer.x, centre.y - pointer.y];
  const angle = normal(Math.round((Math.atan2(dx, dy) * 180) / Math.PI));
  if (angle <= ARC || normal(now) > ARC || Math.hypot(dx, dy) > REACH * radius) return angle;
  return angle < (ARC + WHOLE) / 2 ? ARC : 0;
}

/** Of a circle from one angle to a larger one. */
export function arcPath(from: number, to: number, radius: number, centre: Point): string {
  const [begin, end] = [pointAt(from, radius, centre), pointAt(to, radius, centre)];
  const round = (value: number): number => Math.round(value * 100) / 100;
  return `M${round(begin.x)} ${round(begin.y)}A${radius} ${radius} 0 ${Number(to - from > 180)} 0 ${round(end.x)} ${round(end.y)}`;
}

/** @returns undefined if the text is no angle that images can be turned by */
export function typedAngle(text: string): number | undefined {
  const plain = text.replace('\u2212', '-').replace('°', '').trim();
  const angle = Number(plain);
  return plain === '' || !Number.isFinite(angle) || Math.abs(angle) > WHOLE ? undefined : angle;
}
