// Passkeys: the browser makes one (data-passkey="create") or shows one ("get"), and the form carries its answer.
const { webauthnJSON } = window;

const WORDS = {
  NotAllowedError: "Nothing was chosen, or it took too long. Try again.",
  InvalidStateError: "This device or key is set up already.",
  SecurityError: "Passkeys need an address with a name and https, or localhost: this page has neither.",
  NotSupportedError: "This browser knows no kind of passkey that would do.",
};

function show(form, text) {
  const place = form.querySelector("[data-passkey-error]");
  place.textContent = text;
  place.hidden = !text;
}

async function ask(form) {
  show(form, "");
  const options = JSON.parse(document.getElementById(form.dataset.options).textContent);
  const call = form.dataset.passkey === "create" ? webauthnJSON.create : webauthnJSON.get;
  try {
    form.elements.credential.value = JSON.stringify(await call(options));
  } catch (error) {
    show(form, WORDS[error.name] ?? "The browser could not do that.");
    return;
  }
  form.requestSubmit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("[data-passkey-ask]");
  if (!webauthnJSON?.supported()) {
    button.disabled = true;
    show(form, "This browser offers no passkeys on this page.");
    continue;
  }
  // What a browser fills in anew on the way back has been used.
  form.elements.credential.value = "";
  button.addEventListener("click", () => {
    if (form.reportValidity()) ask(form);
  });
  // Enter in a field asks for the passkey first, too.
  form.addEventListener("submit", (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    button.click();
  });
}
