import type { MapBuilderOptions, Store } from 'maggma';
import { MapBuilder, MSONable, option } from 'maggma';
import type { Place } from './geography.js';
import { greatCircleKm, utmZone } from './geography.js';

/** A record of the data set; see `README.md` beside this file. */
export type AirportRecord = {
  iata: string;
  name: string | null;
  iso: string;
  continent: string;
  type: 'airport' | 'heliport' | 'seaplanes' | 'closed';
  size: 'small' | 'medium' | 'large' | null;
  /** 0 for closed. */
  status: 0 | 1;
  /** In degrees, as text. Some records have none. */
  lat?: string;
  lon?: string;
};

export interface AirportOptions extends MapBuilderOptions {
  /** The airports to which distances are given, by their codes. */
  readonly hubs?: Readonly<Record<string, Place>>;
}

/** Places airports on the map: coordinates as numbers, hemispheres, UTM zone, the nearest hub. */
@MSONable(import.meta.url)
export class AirportBuilder extends MapBuilder<AirportRecord> {
  @option() readonly hubs: Readonly<Record<string, Place>>;

  constructor(source: Store, target: Store, options: AirportOptions = {}) {
    super(source, target, options);
    this.hubs = options.hubs ?? {};
  }

  unaryFunction(airport: AirportRecord) {
    if (airport.status === 0) return null; // Closed: there is nothing to build.
    const place = placeOf(airport);
    return {
      name: airport.name,
      country: airport.iso,
      size: airport.size,
      location: place,
      hemispheres: `${place.lat < 0 ? 'S' : 'N'}${place.lon < 0 ? 'W' : 'E'}`,
      utm_zone: utmZone(place),
      nearest_hub: this.#nearestHub(place),
    };
  }

  #nearestHub(place: Place): { iata: string; km: number } | null {
    const hubs = Object.entries(this.hubs).map(([iata, hub]) => ({
      iata,
      km: Math.round(greatCircleKm(place, hub)),
    }));
    return hubs.sort((a, b) => a.km - b.km)[0] ?? null;
  }
}

/** @throws an `Error`, which makes the airport a failed item. */
function placeOf({ lat, lon }: AirportRecord): Place {
  if (!lat || !lon) throw new Error('it has no coordinates');
  const place = { lat: Number(lat), lon: Number(lon) };
  if (!(Math.abs(place.lat) <= 90 && Math.abs(place.lon) <= 180))
    throw new Error(`its coordinates are not on earth: ${lat}, ${lon}`);
  return place;
}
