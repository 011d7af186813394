// What any page may hold: menus, messages, things to copy, forms that must not be sent twice.
const COPIED_FOR = 1500;
const RESEND_AFTER = 4000;

function closeDetails(details) {
  details.open = false;
  details.querySelector("summary")?.focus();
}

// A click elsewhere or Esc closes menus and panels.
document.addEventListener("click", (event) => {
  for (const details of document.querySelectorAll("details.menu[open], details.filter-panel[open]")) {
    if (!details.contains(event.target)) details.open = false;
  }
  const closer = event.target.closest("[data-close-details]");
  if (closer) closeDetails(closer.closest("details"));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.menu[open], details.filter-panel[open]");
  if (open) closeDetails(open);
});

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest("li, .message").remove();
});

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.getAttribute("aria-label");
  button.classList.add("copied");
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => {
    button.classList.remove("copied");
    button.setAttribute("aria-label", label);
  }, COPIED_FOR);
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

// The second click of a double click finds the form on its way. The server holds it to one effect as well.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // A form that answers with a file leaves the page standing, and may be sent again.
  setTimeout(() => delete form.dataset.sent, RESEND_AFTER);
});
