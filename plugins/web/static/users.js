// Who is bound to which brands, and the form that binds them.

import {
  $,
  askPerson,
  brandLink,
  brandName,
  empty,
  field,
  fill,
  follow,
  get,
  h,
  poll,
  refusal,
  runbookLink,
  table,
  when,
  whyNot,
} from "./pinwheel.js";

const [DAG, TASK] = ["bind_user", "bind"];
/** @type {Record<string, string>} */
const ENDED = { failed: "it failed", unknown: "it was asked for, but how far it is could not be read for minutes" };

/** @type {Api.UserBrand[]} */
let brands = [];

/** @param {Api.BoundList} data */
function show(data) {
  brands = data.brands;
  $("#bind").hidden = false;
  const all = [...data.users, ...data.of_setting];
  const none = empty("Nobody is bound to brands", [
    "How it works is in the ",
    runbookLink("docs/runbooks/bind_user.md"),
    ".",
  ]);
  fill($("#content"), all.length ? userTable(all) : none);
}

/** @param {Api.BoundUser[]} users */
function userTable(users) {
  return table(
    [
      { label: "User", cell: (u) => u.user },
      {
        label: "Sees",
        cell: (u) =>
          h(
            "span",
            {},
            u.brands.map((b, n) => [n ? ", " : "", brandLink(b.brand_id, brandName(b))]),
          ),
      },
      { label: "Since", cell: (u) => when(u.bound_at, { seconds: false }) },
      { label: "By", cell: (u) => u.bound_by ?? "PINWHEEL_BRAND_USERS" },
      { label: "Why", cell: (u) => u.reason },
      { label: "Change", cell: buttons },
    ],
    users,
    "Users who see only some brands",
  );
}

/** Those of the setting are changed in the environment. @param {Api.BoundUser} user */
function buttons(user) {
  if (!user.bound_by) return null;
  const button = (/** @type {string} */ verb, /** @type {() => unknown} */ click) =>
    h("button", { type: "button", "aria-label": `${verb} ${user.user}`, on: { click } }, verb);
  return h(
    "span",
    { class: "links" },
    button("Change", () => bind(user)),
    button("Unbind", () => unbind(user)),
  );
}

/** @param {Api.BoundUser} [known] */
async function bind(known) {
  const has = new Set(known?.brands.map((b) => b.brand_id));
  const name = h("input", {
    name: "user",
    required: true,
    maxlength: 255,
    value: known?.user ?? "",
    readonly: Boolean(known),
  });
  const which = h("select", { name: "brands", multiple: true, required: true, size: 8 });
  const unnamed = known?.brands.filter((b) => !brands.some((one) => one.brand_id === b.brand_id)) ?? [];
  which.append(
    ...[...brands, ...unnamed].map((b) =>
      h("option", { value: b.brand_id, selected: has.has(b.brand_id) }, brandName(b)),
    ),
  );
  const reason = h("input", { name: "reason", required: true, maxlength: 255 });
  const question = "Which brands does the user see? Nothing else is shown to them, Airflow itself included.";
  const fields = [field("Signs in as", name), field("Brands", which), field("Why", reason)];
  const form = await askPerson(question, "Bind", ...fields);
  const chosen = [...which.selectedOptions].map((option) => option.value).join(", ");
  if (form) await ask({ user: form.user, brand_ids: chosen, reason: form.reason });
}

/** @param {Api.BoundUser} known */
async function unbind({ user }) {
  const reason = h("input", { name: "reason", required: true, maxlength: 255 });
  const question = `Unbind ${user}? Then they see what their role in Airflow allows; with a role that reads the pipeline, every brand.`;
  const form = await askPerson(question, "Unbind", field("Why", reason));
  if (form) await ask({ user, brand_ids: null, reason: form.reason });
}

/** Triggers the Dag, follows its run, and says what came of it. @param {{user: string, brand_ids: string | null, reason: string}} conf */
async function ask(conf) {
  const { user } = conf;
  const say = (/** @type {Child[]} */ ...children) => void fill(lineOf(user), ...children);
  try {
    const me = /** @type {Api.Me} */ (await get("me"));
    if (user.trim() === me.name) return say(wrong(`${user} is you, and would lose Airflow. Ask another operator.`));
    const { run, link, state } = await follow(DAG, conf, (state, link) => say(`${user}: ${state}, see `, link(), "."));
    if (state === "success") return say(`${user}: done. It counts within half a minute.`);
    const why = state === "failed" ? await refusal(DAG, run, TASK) : null;
    say(wrong(why ? `Refused: ${why}` : `${user}: ${ENDED[state]}`), ", see ", link(), ".");
  } catch (error) {
    say(wrong(whyNot(DAG, error)));
  } finally {
    users.now();
  }
}

/** What came of the last request for each user: a second request must not hide that the first was refused. @type {Map<string, HTMLElement>} */
const lines = new Map();

/** @param {string} user */
function lineOf(user) {
  const line = lines.get(user) ?? h("p");
  if (!lines.has(user)) $("#said").append(line);
  lines.set(user, line);
  return line;
}

/** @param {string} text */
const wrong = (text) => h("span", { class: "wrong" }, text);

$("#bind").addEventListener("click", () => bind());
const users = poll({ load: (signal) => get("users", {}, signal), show, place: $("#problem"), seconds: 10 });
