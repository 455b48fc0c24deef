"use strict";
/* The shell's behaviour: keys, drafts, text modules, the live line. Pages come from the server; nothing is kept in the browser. */
(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const csrf = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"];
  const typing = (target) => target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");

  function notice(sentence) {
    const box = document.createElement("div");
    box.className = "refusal";
    box.append(sentence);
    const close = document.createElement("button");
    close.type = "button"; close.className = "plain"; close.dataset.dismiss = ""; close.textContent = "✕";
    box.append(close);
    one("#notice").replaceChildren(box);
  }

  /* Navigation */
  function markPlace() {
    for (const link of all(".side a")) {
      const path = link.getAttribute("href");
      const here = path === location.pathname || (path !== "/app" && location.pathname.startsWith(path + "/"));
      if (here) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    }
  }
  function arrive() {
    markPlace();
    const target = one("#main [data-focus]") || one("#main h1");
    if (target) target.focus({ preventScroll: true });
  }
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.requestConfig?.path.endsWith("/settle")) htmx.trigger(document.body, "callback-due");
    if (event.detail.target.id === "main") {
      if (!one("#notice [data-status]") || event.detail.xhr.status < 400) one("#notice").replaceChildren();
      arrive();
    }
    // A call that rings never takes the focus from what is being typed.
    if (event.detail.target.id === "pop" && !one("#pop .rang")) one("#pop a")?.focus({ preventScroll: true });
    if (event.detail.target.id === "notice") one("#notice").scrollIntoView({ block: "nearest" });
  });
  document.addEventListener("htmx:historyRestore", arrive);
  document.addEventListener("htmx:beforeSwap", (event) => {
    const kind = event.detail.xhr.getResponseHeader("Content-Type") || "";
    if (event.detail.xhr.status >= 400 && !kind.startsWith("text/html")) {
      event.detail.shouldSwap = false;
      notice(one("#shell").dataset.busy);
    }
  });
  document.addEventListener("htmx:sendError", () => notice(one("#shell").dataset.offline));

  /* Look and language: the shell is drawn anew in place, the document (and a call in it) stays. */
  document.addEventListener("shell-changed", () => {
    htmx.ajax("GET", location.pathname + location.search, { target: "#shell", select: "#shell", swap: "outerHTML" }).then(() => {
      const { lang, look, size } = one("#shell").dataset;
      Object.assign(document.documentElement, { lang });
      Object.assign(document.documentElement.dataset, { look, size });
      showLive();
      arrive();
      document.dispatchEvent(new Event("shell-drawn"));
    });
  });

  /* Clicks */
  document.addEventListener("click", (event) => {
    const dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest(".refusal, .pop, .told").remove();
    const opener = event.target.closest("[data-open]");
    if (opener) one("#" + opener.dataset.open).showModal();
    const chip = event.target.closest("[data-suggest]");
    if (chip) pick(chip);
    const insert = event.target.closest("[data-insert]");
    if (insert) insertText(insert.dataset.insert);
    for (const open of all(".step details[open], .look[open]")) if (!open.contains(event.target)) open.open = false;
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.open && event.target.matches(".step details")) one("textarea, select, input:not([type=hidden])", event.target)?.focus();
  }, true);
  /* What was typed is saved before the form is left for a customer's or another's. */
  document.addEventListener("htmx:confirm", (event) => {
    const path = event.detail.path || "";
    if (event.detail.verb === "get" && (path === "/app/capture" || path.startsWith("/app/capture?")) && waiting) {
      event.preventDefault();
      const form = waiting;
      if (event.detail.elt.dataset.forget) one(`[name=${event.detail.elt.dataset.forget}]`, form)?.remove();
      saveDraft(form).finally(() => event.detail.issueRequest(true));
    } else if (event.detail.elt.dataset?.forget && one("#capture")) {
      event.preventDefault();
      one(`#capture [name=${event.detail.elt.dataset.forget}]`)?.remove();
      saveDraft(one("#capture")).finally(() => event.detail.issueRequest(true));
    }
  });

  /* Keys: single ones outside inputs only; nothing of the browser's is taken. */
  let row = -1;
  function move(by) {
    const rows = all("#main [data-row]");
    if (!rows.length) return;
    row = Math.max(0, Math.min(rows.length - 1, (rows[row]?.classList.contains("on") ? row : -1) + by));
    rows.forEach((each, index) => each.classList.toggle("on", index === row));
    one("a", rows[row])?.focus();
    rows[row].scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && event.ctrlKey) {
      const form = event.target.closest("form") || one("#capture");
      const button = form && (one(event.shiftKey ? "[data-send-ticket]" : "[data-send]", form));
      if (button) { event.preventDefault(); button.click(); }
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || one("dialog[open]")) return;
    if (event.key === "Escape") {
      if (document.activeElement !== document.body) document.activeElement.blur();
      for (const open of all(".step details[open], .look[open]")) open.open = false;
      return;
    }
    if (typing(event.target)) return;
    if (event.key === "?") one("#keys").showModal();
    else if (event.key === "/") one("#number")?.focus();
    else if (event.key === "j") move(1);
    else if (event.key === "p") move(-1);
    else {
      const link = all(".side a").find((each) => each.dataset.key === event.key);
      if (!link) return;
      link.click();
    }
    event.preventDefault();
  });

  /* Text modules: a click, or ;code and a blank. */
  function insertText(text) {
    const area = one("#capture textarea") || one("#main textarea");
    if (!area) return;
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
  document.addEventListener("input", (event) => {
    const area = event.target;
    if (area.matches("#capture textarea")) {
      const before = area.value.slice(0, area.selectionStart);
      const found = /;([\p{L}\d]+)\s$/u.exec(before);
      const chip = found && one(`[data-suggest][data-number="${CSS.escape(found[1])}"]`);
      if (chip) { area.setRangeText("", before.length - found[0].length, before.length, "end"); pick(chip); }
      const module = found && !chip && all("[data-code]").find((each) => each.dataset.code === found[1]);
      if (module) area.setRangeText(module.dataset.insert, before.length - found[0].length, before.length, "end");
    }
    draftSoon(event.target.closest("[data-draft]"));
    tellEditing(event.target);
  });

  /* A suggested complaint type: a click, or ;1 and a blank. */
  function pick(chip) {
    const box = one("#capture [name=complaint_type_code]");
    box.value = chip.dataset.suggest;
    for (const each of all("[data-suggest]")) each.setAttribute("aria-pressed", String(each === chip));
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) {
      for (const each of all(`#results [name=${event.target.dataset.all}]`)) each.checked = event.target.checked;
    }
    if (event.target.matches("#capture [name=service_type_code]")) htmx.trigger(one("#capture textarea"), "listen");
    draftSoon(event.target.closest("[data-draft]"));
  });

  /* Drafts */
  let waiting = null, timer = 0;
  function draftSoon(form) {
    if (!form) return;
    waiting = form;
    clearTimeout(timer);
    timer = setTimeout(() => saveDraft(form), 700);
  }
  async function saveDraft(form) {
    clearTimeout(timer);
    if (waiting === form) waiting = null;
    const body = new URLSearchParams(new FormData(form));
    body.set("place", form.dataset.draft);
    if (!(body.get("text") || body.get("body") || "").trim() && !form.querySelector("[data-send-ticket]")) return;
    try {
      const answer = await fetch("/app/drafts", { method: "POST", body, headers: { "X-CSRF-Token": csrf(), "HX-Request": "true" } });
      const note = one(".draft-note", form);
      if (answer.ok && note) note.textContent = note.dataset.saved;
    } catch { /* The line is down: the text still stands in the form. */ }
  }
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.matches("form[data-draft]")) { clearTimeout(timer); waiting = null; }
  });

  /* Somebody else is editing */
  function tellEditing(target) {
    const presence = one("#presence");
    if (!presence || !target.closest("#ticket") || presence.dataset.told) return;
    presence.dataset.told = "1";
    presence.setAttribute("hx-vals", '{"editing": "1"}');
    htmx.trigger(presence, "editing-changed");
  }

  /* The live line */
  let line = null, isLive = false;
  function showLive() {
    const lamp = one("#live");
    if (!lamp) return;
    lamp.classList.toggle("on", isLive);
    lamp.title = isLive ? lamp.dataset.on : lamp.dataset.off;
    lamp.setAttribute("aria-label", lamp.title);
  }
  function connect() {
    line = new EventSource("/app/events");
    line.addEventListener("open", () => { isLive = true; showLive(); });
    line.addEventListener("error", () => { isLive = false; showLive(); });
    line.addEventListener("screen_pop", (event) => {
      const told = JSON.parse(event.data);
      const values = { number: told.number, rang: "1" };
      for (const name of ["contact_id", "call", "queue", "priority", "path"]) if (told[name] !== undefined) values[name] = told[name];
      document.dispatchEvent(new CustomEvent("phone-rings", { detail: told }));
      htmx.ajax("POST", "/app/pop", { target: "#pop", swap: "innerHTML", values });
    });
    line.addEventListener("ticket", (event) => {
      const told = JSON.parse(event.data), ticket = one("#ticket");
      htmx.trigger(document.body, "tickets-moved");
      if (ticket && String(told.ticket_id) === ticket.dataset.ticket && told.event_number > Number(ticket.dataset.version)) one("#moved").hidden = false;
    });
    line.addEventListener("phone", (event) => document.dispatchEvent(new CustomEvent("phone-told", { detail: JSON.parse(event.data) })));
    line.addEventListener("escalation", (event) => {
      const told = JSON.parse(event.data);
      const box = document.createElement("p"), link = document.createElement("a"), close = document.createElement("button");
      box.className = "banner moved told";
      link.href = "/app/tickets/" + Number(told.ticket_id);
      link.textContent = one("#shell").dataset.escalated.replace("%code", told.code).replace("%percent", told.percent);
      close.type = "button"; close.className = "plain"; close.dataset.dismiss = ""; close.textContent = "✕";
      box.append(link, " ", close);
      one("#told").prepend(box);
      while (one("#told").children.length > 3) one("#told").lastChild.remove();
      htmx.process(box);
    });
    line.addEventListener("callback", () => htmx.trigger(document.body, "callback-due"));
    line.addEventListener("signed_out", () => { line.close(); location.assign("/sign-in"); });
  }
  document.addEventListener("DOMContentLoaded", () => { connect(); arrive(); });
  window.addEventListener("pagehide", () => line?.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
})();
