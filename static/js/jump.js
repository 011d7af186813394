// Ctrl-K: what is typed is asked of the server, and the arrows move among what it found. Without this, the button in the
// top bar leads to a page that does the same.
const WAIT = 120;
const dialog = document.getElementById("jump");
const field = document.getElementById("jump-query");
const results = document.getElementById("jump-results");
let waiting = 0;
let asking = null;

const options = () => [...results.querySelectorAll("[role=option]")];
const chosen = () => results.querySelector("[aria-selected=true]");

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
}

function show(html) {
  // The server's own template, escaped there; scripts in it would not run.
  results.innerHTML = html;
  const found = options().length > 0;
  field.setAttribute("aria-expanded", String(found));
  field.setAttribute("aria-controls", found ? "jump-options" : "jump-results");
  choose(options()[0]);
}

function tell(text) {
  const line = document.createElement("p");
  line.className = "jump-error";
  line.setAttribute("role", "alert");
  line.textContent = text;
  show("");
  results.replaceChildren(line);
}

async function ask() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const address = `${field.form.action}?${new URLSearchParams({ q: field.value })}`;
  results.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { "X-Part": "jump" }, signal });
    if (answer.redirected) tell(results.dataset.ended);
    else if (answer.ok) show(await answer.text());
    else tell(results.dataset.failed);
  } catch {
    if (!signal.aborted) tell(results.dataset.failed);
  } finally {
    if (!signal.aborted) results.removeAttribute("aria-busy");
  }
}

function askSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(ask, WAIT);
}

function open() {
  if (dialog.open) return;
  dialog.showModal();
  field.select();
  ask();
}

function move(step) {
  const all = options();
  const here = all.indexOf(chosen());
  choose(all[(here + step + all.length) % all.length]);
}

function follow(event) {
  const option = chosen();
  // Still asking: the answer to what was typed before is not what is meant, and the page shows the right one.
  if (!option || results.hasAttribute("aria-busy")) return;
  event.preventDefault();
  if (event.ctrlKey || event.metaKey) window.open(option.href, "_blank", "noopener");
  else location.assign(option.href);
}

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Home: () => choose(options()[0]),
  End: () => choose(options().at(-1)),
};

field?.addEventListener("input", () => {
  results.setAttribute("aria-busy", "true");
  askSoon();
});
field?.addEventListener("keydown", (event) => {
  // Home and End belong to the text as long as there is some.
  if (!KEYS[event.key] || (field.value && !event.key.startsWith("Arrow"))) return;
  event.preventDefault();
  KEYS[event.key]();
});
field?.form.addEventListener("submit", follow);
field?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.stopPropagation();
    follow(event);
  }
});
results?.addEventListener("pointermove", (event) => {
  const option = event.target.closest("[role=option]");
  if (option && option !== chosen()) choose(option);
});
// A click on the backdrop lands on the dialog itself.
dialog?.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
document.addEventListener("keydown", (event) => {
  if (dialog && event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    if (dialog.open) dialog.close();
    else open();
  }
});
document.querySelector("[data-open-jump]")?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open();
});
