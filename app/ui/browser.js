// Runs in the browser before Streamlit does.

// Where the server is: Streamlit would otherwise ask for it below the address of the page, get no answer, and say so.
window.__streamlit = { BACKEND_BASE_URL: new URL(".", document.currentScript.src).href };

// One entry in the browser's history for each step that a person takes: what Streamlit adds to it otherwise changes the
// entry that is there. It adds two for a change of pages with parameters, and one for each correction of an address.
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

// A button that disappears when it is pressed leaves the keyboard, and who reads by ear, at what follows it, and not at
// the top of the page.
(() => {
  const CONTROLS = ["a[href]", "button:enabled", "input:enabled", "textarea:enabled", "summary", "[tabindex='0']"];
  const SELECTOR = CONTROLS.map(kind => `[data-testid=stMain] ${kind}`).join();
  let pressed, before, after; // what had the focus last, and what stood before and after it
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
