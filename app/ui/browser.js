// Runs in the browser before Streamlit does.

// The address of the server. Otherwise Streamlit would look for it below the address of the page, and report an error.
window.__streamlit = { BACKEND_BASE_URL: new URL(".", document.currentScript.src).href };

// Adds one entry to the browser's history for each step that a person takes; Streamlit's other entries replace it.
// Streamlit adds two for a change of page with parameters, and one for each correction of an address.
(() => {
  let acted = false;
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => (acted = true), true);
  addEventListener("popstate", () => (acted = false), true);
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  history.pushState = (...entry) => {
    (acted ? push : replace)(...entry);
    acted = false;
  };
})();

// When a button disappears as it is pressed, moves the focus to what follows it, not to the top of the page. People who
// use a keyboard or a screen reader keep their place.
(() => {
  const CONTROLS = ["a[href]", "button:enabled", "input:enabled", "textarea:enabled", "summary", "[tabindex='0']"];
  const SELECTOR = CONTROLS.map(kind => `[data-testid=stMain] ${kind}`).join();
  let pressed, before, after; // what last had the focus, and what came before and after it
  addEventListener("focusin", ({ target }) => {
    const all = [...document.querySelectorAll(SELECTOR)];
    const place = all.indexOf(target);
    [pressed, before, after] = [target, all.slice(0, Math.max(place, 0)), place < 0 ? [] : all.slice(place + 1)];
  }, true);
  const restore = () => {
    const isDrawing = document.querySelector("[data-testid=stApp]")?.dataset.testScriptState !== "notRunning";
    if (isDrawing || document.activeElement !== document.body || !pressed || pressed.isConnected) return;
    const near = [...after, ...before.reverse()].find(one => one.isConnected && one.getClientRects().length);
    pressed = undefined;
    near?.focus({ preventScroll: true });
  };
  addEventListener("DOMContentLoaded", () =>
    new MutationObserver(restore).observe(document.body, {
      attributeFilter: ["data-test-script-state"], childList: true, subtree: true,
    }));
})();
