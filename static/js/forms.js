// A form that was touched and not saved asks before it is left.
const form = document.querySelector(".form-page form, .profile form");
let touched = false;

form?.addEventListener("input", () => {
  touched = true;
});
form?.addEventListener("submit", () => {
  touched = false;
});
addEventListener("beforeunload", (event) => {
  if (touched) event.preventDefault();
});

// The first thing wrong comes into view.
document.querySelector(".errorlist")?.closest(".form-row, .field")?.scrollIntoView({ block: "center" });

// The stock many-to-many widget labels its icons, which only an image may bear.
addEventListener("load", () => {
  for (const icon of document.querySelectorAll(".help-tooltip[aria-label]:not([role])")) icon.setAttribute("role", "img");
});
