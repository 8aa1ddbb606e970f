const EARTH_RADIUS_KM = 6371;

/** A place on earth, in degrees; south and west are negative. */
export interface Place {
  readonly lat: number;
  readonly lon: number;
}

/** The shortest way over the surface between two places, in kilometres. */
export function greatCircleKm(a: Place, b: Place): number {
  const half = (degrees: number) => Math.sin(radians(degrees) / 2) ** 2;
  const h =
    half(b.lat - a.lat) + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * half(b.lon - a.lon);
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/**
 * The zone of the UTM grid: its number and its letter, `32U` for Frankfurt. Null at the poles, which the grid leaves
 * out. The wider zones around Norway and Svalbard are not considered.
 */
export function utmZone({ lat, lon }: Place): string | null {
  if (lat < -80 || lat > 84) return null;
  const number = Math.floor((lon + 180) / 6) % 60;
  const letter = 'CDEFGHJKLMNPQRSTUVWX'[Math.min(19, Math.floor((lat + 80) / 8))];
  return `${number + 1}${letter}`;
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
