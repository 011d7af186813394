// Rows are as good as their link: a click anywhere on one follows it.
const table = document.getElementById("result_list");
const INTERACTIVE = "a, button, input, select, label, summary, textarea, .action-checkbox";

function open(row, inNewTab) {
  const link = row.querySelector("th a[href], td a[href]");
  if (!link || link.dataset.popupOpener !== undefined) return link?.click();
  if (inNewTab) window.open(link.href, "_blank", "noopener");
  else location.assign(link.href);
}

function follow(event) {
  const row = event.target.closest("tbody tr");
  if (!row || event.target.closest(INTERACTIVE) || String(getSelection())) return;
  open(row, event.ctrlKey || event.metaKey || event.button === 1);
}

table?.addEventListener("click", follow);
table?.addEventListener("auxclick", (event) => {
  if (event.button === 1) follow(event);
});
