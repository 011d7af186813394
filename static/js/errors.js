// Tells the server of script errors. A classic script, so that it listens before any other runs.
(() => {
  const MOST_A_PAGE = 5;
  const address = document.currentScript.dataset.reportTo;
  let sent = 0;

  function report(kind, message, source, stack) {
    if (sent >= MOST_A_PAGE) return;
    sent += 1;
    const body = JSON.stringify({ kind, message, source, stack, page: location.pathname });
    // A report that fails to arrive must not raise an error of its own.
    fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      keepalive: true,
    }).catch(() => {});
  }

  const text = (value, most) => String(value ?? "").slice(0, most);

  addEventListener("error", (event) => {
    if (!event.message) return;
    const place = `${event.filename}:${event.lineno}:${event.colno}`;
    report("error", text(event.message, 500), text(place, 500), text(event.error?.stack, 2000));
  });
  addEventListener("unhandledrejection", (event) => {
    const reason = event.reason;
    report("rejection", text(reason?.message ?? reason, 500), "", text(reason?.stack, 2000));
  });
})();
