// The checkboxes of a role: found by typing, and what a save would give and take told while they change.
const choices = document.querySelector("[data-permission-choices]");
const boxes = [...choices.querySelectorAll("input[type=checkbox]")];
const search = choices.querySelector("input[type=search]");
const effect = choices.querySelector(".permission-effect");

const labelOf = (box) => box.nextElementSibling.firstChild.textContent.trim();

function narrow() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const box of boxes) {
    const text = box.parentElement.textContent.toLowerCase();
    box.parentElement.hidden = !words.every((word) => text.includes(word));
  }
  const areas = [...choices.querySelectorAll(".permission-area")];
  for (const area of areas) area.hidden = !area.querySelector(".permission-choice:not([hidden])");
  choices.querySelector(".permission-none").hidden = areas.some((area) => !area.hidden);
}

function tell() {
  const given = boxes.filter((box) => box.checked && !("held" in box.dataset)).map(labelOf);
  const taken = boxes.filter((box) => !box.checked && "held" in box.dataset).map(labelOf);
  effect.hidden = !(given.length || taken.length);
  effect.querySelector("[data-effect]").textContent = [
    given.length ? `Saving gives: ${given.join(", ")}.` : "",
    taken.length ? `Saving takes away: ${taken.join(", ")}.` : "",
  ].join(" ");
}

choices.querySelector(".permission-search").hidden = false;
search.addEventListener("input", narrow);
// Enter in the search looks for something and saves nothing.
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});
choices.addEventListener("change", tell);
tell();
