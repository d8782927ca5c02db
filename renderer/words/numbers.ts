/** Numbers as the window writes them: one way each, with thin spaces and a real minus sign. */

/** Between a number and its unit, and between thousands: narrow and unbreakable. */
export const THIN = '\u202f';
export const MINUS = '\u2212';

const fixed = (value: number, digits: number): string => {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 || value > 0 ? text : MINUS + text;
};

/** `95.7`, `−0.38`; NaN is an en dash. Never `−0.0`. */
export function decimal(value: number, digits = 1): string {
  return Number.isNaN(value) ? '–' : Number.isFinite(value) ? fixed(value, digits) : value > 0 ? '∞' : `${MINUS}∞`;
}

/** An effect in [−1, 1] drops its leading 0: `.964`, `−.06`, `1.02`. */
export function effect(value: number, digits = 3): string {
  return decimal(value, digits).replace(/^(−?)0\./, '$1.');
}

/** A change carries its sign: `+1.6`, `−0.38`, `0.0`. */
export function change(value: number, digits = 1): string {
  const text = decimal(value, digits);
  return value > 0 && Number(text) !== 0 ? `+${text}` : text;
}

export function interval(low: number, high: number, digits = 2, write: (value: number, digits: number) => string = decimal): string {
  return `[${write(low, digits)}, ${write(high, digits)}]`;
}

/** `95.7 %` */
export const percent = (value: number, digits = 1): string => (Number.isNaN(value) ? '–' : `${decimal(value, digits)}${THIN}%`);

/** `30 720` */
export function whole(value: number): string {
  const digits = Math.abs(Math.round(value)).toString();
  const grouped = digits.length > 4 ? digits.replace(/\B(?=(\d{3})+$)/g, THIN) : digits;
  return value < 0 && Math.round(value) !== 0 ? MINUS + grouped : grouped;
}

/** `38 MB`, `1.2 GB` */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${scaled >= 10 || unit === 0 ? Math.round(scaled) : scaled.toFixed(1)}${THIN}${units[unit]}`;
}

/** `0.2 s`, `6 s`, `2 min 40 s`, `3 h 5 min` */
export function duration(seconds: number): string {
  if (seconds < 0.95) return `${Math.max(0.1, seconds).toFixed(1)}${THIN}s`;
  if (seconds < 59.5) return `${Math.round(seconds)}${THIN}s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes}${THIN}min ${Math.round(seconds) % 60}${THIN}s`;
  return `${Math.floor(minutes / 60)}${THIN}h ${minutes % 60}${THIN}min`;
}

/** `1 model`, `5 models` */
export const count = (n: number, one: string, many = `${one}s`): string => `${whole(n)} ${n === 1 ? one : many}`;

export const degrees = (angle: number): string => `${String(angle).replace('-', MINUS)}°`;

const DAY = 86_400_000;

/** `Today 14:52`, `Yesterday 03:10`, `Monday`, `12 March`, `12 March 2025` @param iso when @param now the present */
export function when(iso: string, now: Date): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '–';
  const midnight = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(now) - midnight(at)) / DAY);
  const clock = `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
  if (days === 0) return `Today ${clock}`;
  if (days === 1) return `Yesterday ${clock}`;
  if (days > 1 && days < 7) return at.toLocaleDateString('en', { weekday: 'long' });
  const day = `${at.getDate()} ${at.toLocaleDateString('en', { month: 'long' })}`;
  return at.getFullYear() === now.getFullYear() ? day : `${day} ${at.getFullYear()}`;
}
