// Day and night.

const DEGREE = Math.PI / 180;

/**
 * The place over which the sun stands, to about a hundredth of a degree: the Astronomical Almanac's low-precision formulas.
 * @param {number} now ms since 1970
 * @returns {Point}
 */
export function sunAt(now) {
  const days = now / 86400000 - 10957.5; // since 2000-01-01 12:00 UTC
  const anomaly = (357.528 + 0.9856003 * days) * DEGREE;
  const mean = 280.46 + 0.9856474 * days;
  const along = (mean + 1.915 * Math.sin(anomaly) + 0.02 * Math.sin(2 * anomaly)) * DEGREE; // the ecliptic
  const tilt = (23.439 - 0.0000004 * days) * DEGREE;
  const declination = Math.asin(Math.sin(tilt) * Math.sin(along)) / DEGREE;
  const ascension = Math.atan2(Math.cos(tilt) * Math.sin(along), Math.cos(along)) / DEGREE;
  const turned = 280.46062 + 360.98564737 * days; // the earth, against the stars
  return [wrapped(ascension - turned), declination];
}

/** A longitude from -180 to 180. @param {number} longitude */
export const wrapped = (longitude) => ((((longitude + 180) % 360) + 360) % 360) - 180;

/** The place opposite. @param {Point} place @returns {Point} */
export const opposite = ([longitude, latitude]) => [wrapped(longitude + 180), -latitude];
