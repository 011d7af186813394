// Parts of pages that htmx fetches. When the session ends, the answer comes from the page to log in at, which is no
// part of this one: then the whole page is asked for again, and leads there.
document.addEventListener("htmx:beforeSwap", (event) => {
  const asked = new URL(event.detail.pathInfo.requestPath, location.href);
  const answered = new URL(event.detail.xhr.responseURL || asked, location.href);
  if (asked.pathname === answered.pathname) return;
  event.preventDefault();
  location.reload();
});
