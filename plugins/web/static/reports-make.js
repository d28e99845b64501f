// Make a report of any days by a form: it triggers the Dag as the viewer, and follows its run.

import { $, fill, follow, get, h, whyNot } from "./pinwheel.js";
import { dayName, daysOf, plus } from "./reports-one.js";

const DAG = "report_brands";
const LONGEST = 31; // days
/** @type {Record<string, string>} */
const DOING = { queued: "waits for its turn", running: "is being made" };
/** @type {Api.ReportableDays | null} */
let reportable = null;

/** The brand that a text names, as "Halden (17)", by its name alone, or by its number. @param {string} text @param {Api.Choice[]} brands */
function brandIn(text, brands) {
  const said = text.trim().toLowerCase();
  const alike = brands.filter((b) => said === (b.name ?? "").toLowerCase());
  const exact = brands.find((b) => said === brandText(b).toLowerCase() || said === String(b.brand_id));
  return exact ?? (alike.length === 1 ? alike[0] : null);
}

/** @param {Api.Choice} brand */
export const brandText = ({ brand_id, name }) => `${name || "brand"} (${brand_id})`;

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
  if (!of.first_day) return "Nothing has been merged yet, so there is nothing to report.";
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
  const days = Math.min(LONGEST, Math.max(1, Number(new FormData($("#ask")).get("days")) || 1));
  const day = $('#ask [name="first_day"]');
  day.min = earliest(reportable, days);
  day.max = plus(reportable.last_day, 1 - days);
  const range = `${dayName(day.min)} to ${dayName(day.max)}`;
  const can = day.min <= day.max ? `can begin on any day from ${range}` : "can't be made yet";
  fill($("#make-days"), `A report of ${words(days)} ${can}. It is compared with as many days before.`);
}

/** @param {Child[]} children */
const say = (...children) => fill($("#make-said"), ...children);

/**
 * Throws an ApiError: the days that are offered can't be asked for.
 * @param {() => Api.Choice[]} brands
 * @param {(report: {brand_id: number, first_day: string, days: number}) => void} show what shows a report that is made
 */
export async function offerForm(brands, show) {
  reportable = await get("reports/days");
  offer();
  const form = $("#ask");
  form.addEventListener("input", offer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = new FormData(form);
    const brand = brandIn(String(said.get("brand")), brands());
    const asked = { brand, first: String(said.get("first_day")), days: Number(said.get("days")) };
    const wrong = reportable && problem(asked, reportable);
    if (wrong || !brand) return say(h("span", { class: "wrong" }, wrong));
    const report = { brand_id: brand.brand_id, first_day: asked.first, days: asked.days };
    const button = $("button", form);
    button.toggleAttribute("disabled", true);
    if (await isMade(report, brandText(brand), said.has("mail"))) show(report);
    button.toggleAttribute("disabled", false);
  });
}

/** @param {{brand_id: number, first_day: string, days: number}} report @param {string} name @param {boolean} mail */
async function isMade({ brand_id, first_day, days }, name, mail) {
  const what = `The report of ${name}, ${daysOf({ first_day, days })},`;
  const conf = { first_day, days, brand_ids: String(brand_id), mail };
  try {
    const { isDone, link } = await follow(DAG, conf, (state, link) =>
      say(`${what} ${DOING[state] ?? state}: `, link(), "."),
    );
    if (isDone) say(`${what} is made.`);
    else say(`${what} could not be made, or not be mailed: see `, link(), ".");
    return isDone;
  } catch (error) {
    say(whyNot(DAG, error));
    return false;
  }
}
