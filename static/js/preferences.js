// Theme, density and sidebar: kept in cookies, so that the server paints the next page right at once.
const root = document.documentElement;
const YEAR = 365 * 24 * 60 * 60;

function remember(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR}; SameSite=Lax${secure}`;
}

function choices(name) {
  const attribute = `set${name[0].toUpperCase()}${name.slice(1)}`;
  const buttons = document.querySelectorAll(`[data-set-${name}]`);
  const show = () => {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset[attribute] === root.dataset[name]));
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      root.dataset[name] = button.dataset[attribute];
      remember(name, root.dataset[name]);
      show();
    });
  }
  show();
}

function sidebarToggle() {
  const button = document.querySelector("[data-toggle-sidebar]");
  if (!button) return;
  const show = () => button.setAttribute("aria-expanded", String(root.dataset.sidebar === "open"));
  button.addEventListener("click", () => {
    root.dataset.sidebar = root.dataset.sidebar === "open" ? "collapsed" : "open";
    remember("sidebar", root.dataset.sidebar);
    show();
  });
  show();
}

function tellTimezone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`timezone=${zone}`)) remember("timezone", zone);
}

// In a sidebar longer than the window, the entry of this page is in view.
document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest" });

choices("theme");
choices("density");
sidebarToggle();
tellTimezone();
