// Make a report of any days by a form: it triggers the Dag as the viewer, and follows its run.

import { $, brandName, brandText, fill, follow, get, h, notice, poll, whyNot } from "./pinwheel.js";
import { dayName, daysOf, plus } from "./reports-one.js";

const DAG = "report_brands";
const LONGEST = 31; // days
const REFRESH = 60; // seconds between two looks at the days
const NOTHING = "Nothing has been merged yet, so there is nothing to report.";
/** @type {Record<string, string>} */
const DOING = {
  queued: "waits for its turn",
  running: "is being made",
  unknown: "was asked for. How far it is can't be read just now; asking again",
};
/** @type {Record<string, string>} */
const ENDED = {
  failed: "could not be made, or not be mailed",
  unknown: "was asked for, but how far it is could not be read for minutes",
};
/** @type {Api.ReportableDays | null} */
let reportable = null;

/** The brand that a text names, as "Halden (17)" or "brand 70 (70)", by its name alone, or by its number. @param {string} text @param {Api.Choice[]} brands */
function brandIn(text, brands) {
  const said = text.trim().toLowerCase();
  const alike = brands.filter((b) => said === brandName(b).toLowerCase());
  const exact = brands.find((b) => said === brandText(b).toLowerCase() || said === String(b.brand_id));
  return exact ?? (alike.length === 1 ? alike[0] : null);
}

/** The first day that a report of so many days can begin with: the days before it are compared. @param {Api.ReportableDays} of @param {number} days */
function earliest({ first_day, kept_from }, days) {
  const kept = kept_from && plus(kept_from, days);
  return [first_day ?? "", kept ?? ""].sort()[1];
}

/**
 * What can't be made, in words; null: nothing is wrong.
 * @param {{brand: Api.Choice | null, first: string, days: number}} asked
 * @param {Api.ReportableDays} of
 */
function problem({ brand, first, days }, of) {
  if (!of.first_day) return NOTHING;
  if (!brand) return "Which brand? Type a part of its name and choose it from the list.";
  if (!Number.isInteger(days) || days < 1 || days > LONGEST) return `The number of days must be 1 to ${LONGEST}.`;
  if (!first) return "Which first day?";
  const least = earliest(of, days);
  if (first < least) {
    const why = of.kept_from
      ? ` Events are kept from ${dayName(of.kept_from)} on, and the days before are compared.`
      : "";
    return `A report of ${words(days)} can begin on ${dayName(least)} at the earliest.${why}`;
  }
  if (plus(first, days - 1) <= of.last_day) return null;
  return `${words(days)} from ${dayName(first)} are not over yet: the last day that is over is ${dayName(of.last_day)}.`;
}

/** @param {number} days */
const words = (days) => (days === 1 ? "1 day" : `${days} days`);

/** Offer only the days that a report can begin with. */
function offer() {
  if (!reportable) return;
  if (!reportable.first_day) return fill($("#make-days"), NOTHING);
  const days = Math.min(LONGEST, Math.max(1, Number(new FormData($("#ask")).get("days")) || 1));
  const day = $('#ask [name="first_day"]');
  day.min = earliest(reportable, days);
  day.max = plus(reportable.last_day, 1 - days);
  const range = `${dayName(day.min)} to ${dayName(day.max)}`;
  const can = day.min <= day.max ? `can begin on any day from ${range}` : "can't be made yet";
  const zone =
    reportable.time_zone === "UTC" ? "" : ` These are days of the brand’s time zone, ${reportable.time_zone}.`;
  fill($("#make-days"), `A report of ${words(days)} ${can}. It is compared with as many days before.${zone}`);
}

/** @param {Child[]} children */
const say = (...children) => fill($("#make-said"), ...children);

/**
 * @param {() => Api.Choice[]} brands
 * @param {(report: {brand_id: number, first_day: string, days: number}) => void} show what shows a report that is made
 */
export function offerForm(brands, show) {
  const form = $("#ask");
  const chosen = () => brandIn(String(new FormData(form).get("brand")), brands());
  let shown = chosen()?.brand_id;
  const days = poll({
    load: (signal) => get("reports/days", { brand: shown }, signal),
    show: (/** @type {Api.ReportableDays} */ found) => {
      reportable = found;
      offer();
    },
    place: $("#make-problem"),
    seconds: REFRESH,
  });
  form.addEventListener("input", () => {
    const brand = chosen()?.brand_id;
    if (brand === shown) return offer();
    shown = brand;
    reportable = null; // the days of another brand may be others
    fill($("#make-days"));
    days.now();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = $("button", form);
    button.toggleAttribute("disabled", true);
    try {
      const report = await make(chosen(), new FormData(form));
      if (report) show(report);
    } catch (error) {
      say(notice(error));
    }
    button.toggleAttribute("disabled", false);
  });
}

/** Make what the form says; null: it is not made, and said why. Throws an ApiError. @param {Api.Choice | null} brand @param {FormData} said */
async function make(brand, said) {
  const asked = { brand, first: String(said.get("first_day")), days: Number(said.get("days")) };
  const wrong = problem(asked, await get("reports/days", { brand: brand?.brand_id }));
  if (wrong || !brand) {
    say(h("span", { class: "wrong" }, wrong));
    return null;
  }
  const report = { brand_id: brand.brand_id, first_day: asked.first, days: asked.days };
  return (await isMade(report, `The report of ${brandText(brand)}, ${daysOf(report)},`, said.has("mail")))
    ? report
    : null;
}

/** @param {{brand_id: number, first_day: string, days: number}} report @param {string} what @param {boolean} mail */
async function isMade({ brand_id, first_day, days }, what, mail) {
  const conf = { first_day, days, brand_ids: String(brand_id), mail };
  try {
    const { state, link } = await follow(DAG, conf, (state, link) =>
      say(`${what} ${DOING[state] ?? state}: `, link(), "."),
    );
    if (state === "success") say(`${what} is made.`);
    else say(`${what} ${ENDED[state]}: see `, link(), ".");
    return state === "success";
  } catch (error) {
    say(whyNot(DAG, error));
    return false;
  }
}
