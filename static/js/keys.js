// The keyboard: one table of keys, the same as in the dialog that "?" opens.
const dialog = document.getElementById("shortcuts");

function openShortcuts() {
  if (dialog && !dialog.open) dialog.showModal();
}

function toggleFilters() {
  const panel = document.getElementById("changelist-filter");
  if (!panel) return;
  panel.open = !panel.open;
  (panel.open ? panel.querySelector("a, input, button") : panel.querySelector("summary")).focus();
}

function search() {
  const field = document.getElementById("searchbar");
  field?.focus();
  field?.select();
}

function moveRow(step) {
  const links = [...document.querySelectorAll("#result_list tbody tr")].map((row) => row.querySelector("th a, td a"));
  const here = links.findIndex((link) => link?.closest("tr").contains(document.activeElement));
  links[Math.min(Math.max(here + step, 0), links.length - 1)]?.focus();
}

const turnPage = (which) => document.querySelector(`a[data-page="${which}"]`)?.click();

const KEYS = {
  "/": search,
  f: toggleFilters,
  j: () => moveRow(1),
  k: () => moveRow(-1),
  "]": () => turnPage("next"),
  "[": () => turnPage("previous"),
  "\\": () => document.querySelector("[data-toggle-sidebar]")?.click(),
  "?": openShortcuts,
};

function isTyping(target) {
  return target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    // The page that asks "Is this right?" has nothing to write in, so the keys are pressed beside its form.
    const form = event.target.closest("form") ?? document.querySelector(".confirm-form main form.form-card");
    form?.querySelector("[type=submit].primary")?.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || dialog?.open) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.querySelector("[data-open-shortcuts]")?.addEventListener("click", openShortcuts);
// A click on the backdrop lands on the dialog itself.
dialog?.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
